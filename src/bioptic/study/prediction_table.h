// Predictions of one split by every arm and seed: what comparisons and claims rest on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/study/summary.h"

namespace bioptic {

// A case is a group (patient, study); an image without a group is its own.
struct PredictedImage {
  std::string id;
  std::size_t label = 0;  // index into PredictionTable::classes
  std::size_t group = 0;  // 0 .. groups - 1
};

// One arm trained with one seed.
struct PredictedTrial {
  std::int64_t seed = 0;
  bool collapsed = false;
  std::size_t not_finite = 0;       // images with a score that is not finite: wrong, see add()
  std::vector<std::size_t> images;  // indices into PredictionTable::images, ascending
  // In the order of `images`.  Two classes: of the positive class, one number an image.  More: K
  // numbers an image, one a class.
  std::vector<double> scores;  // probabilities, as far as PredictionTable::probabilities says
  std::vector<double> ranks;   // what AUROC orders by: the logit where there is one
  std::vector<double> logits;  // two classes: log odds of the positive class, for the log loss
  std::vector<std::size_t> predicted;  // index into classes
};

struct PredictedArm {
  std::string name;
  std::vector<PredictedTrial> trials;   // by seed, ascending
  Chosen chosen = {};                   // by this split
  std::vector<std::string> still = {};  // standing_still() of reach.h
  // Every score is exactly 0 or 1, and both occur: the scores are labels, which have a class but
  // neither ranks nor probabilities.
  bool hard = false;
};

struct PredictionTable {
  std::string split;
  std::vector<std::string> classes;  // at least 2
  std::size_t positive = 1;          // of two classes: the one that scores speak for
  bool positive_known = true;        // else nothing tells, and `positive` means nothing to a reader
  bool named_columns = false;        // scores came in a column per class, which names it
  bool probabilities = true;         // every finite score is in [0, 1] (rows of K sum to 1)
  bool grouped = false;              // some group has several images
  std::size_t groups = 0;            // of all images
  std::vector<PredictedImage> images;
  std::vector<PredictedArm> arms;
  std::vector<std::string> notes;           // sentences for the reader
  std::optional<SharedGroups> shared = {};  // with training; empty: not known
  // Of a study's validation split: how many images each seed was trained on beside it, and whether
  // it was drawn by image although patients have several.  Empty: not known.
  struct Beside {
    std::size_t trained_on = 0;
    bool patients_shared = false;
  };
  std::optional<Beside> beside = {};

  std::size_t columns() const { return classes.size() == 2 ? 1 : classes.size(); }
  // The trial of an arm with that seed, or null.
  const PredictedTrial* trial(std::size_t arm, std::int64_t seed) const;
};

std::vector<std::string> names_of_arms(const PredictionTable& table);

// Seeds that every one of `arms` (indices) has, ascending.
std::vector<std::int64_t> shared_seeds(const PredictionTable& table,
                                       std::span<const std::size_t> arms);

// Puts images in the order of their ids, trials in that of their seeds, and numbers the groups in
// the order of the images, so that no result depends on the order of rows.  `group_of`: one name
// per image, "" = its own group.  Every builder ends with it.
void put_in_order(PredictionTable& table, const std::vector<std::string>& group_of);

// What was predicted for one image: scores, ranks, logits and the class are appended to `trial`.
// score: probability of the positive class; logit: what ranks, and its log odds, if known.  The
// positive class is predicted when score > threshold, strictly.  A score (or logit) that is not
// finite counts as wrong, whatever the image's label: the other class with certainty.
void add_binary(PredictedTrial& trial, std::size_t positive, std::size_t label, double score,
                std::optional<double> logit, double threshold);
// From the positive class's log odds alone: ranks by them, probability 1 / (1 + exp(-logit)),
// positive when logit > threshold, strictly.
void add_binary_logit(PredictedTrial& trial, std::size_t positive, std::size_t label, double logit,
                      double threshold);
// More than two classes: the first largest score is the predicted class.  `logits` may be empty.
// Scores that are not finite count as the class after the image's own.
void add_multiclass(PredictedTrial& trial, std::size_t label, std::span<const double> scores,
                    std::span<const double> logits);

// From one logit a class: probabilities by the softmax, ranks by the log odds of a class against
// the rest, which do not tie where probabilities round to 1.
void add_multiclass_logits(PredictedTrial& trial, std::size_t label,
                           std::span<const double> logits);

// Predictions of one split ("test", "val", ...) of a study's finished trials.  Arms without a trial
// are in it, without trials.
PredictionTable prediction_table(const StudySummary& summary, const std::string& split);

}  // namespace bioptic
