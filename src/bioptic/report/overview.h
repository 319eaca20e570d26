// What index.html says of a study: its arms, pairs and claims in numbers.  Plain data, small
// whatever the study's size; kept beside the report as overview.json, so that the page of a folder
// with several studies is made without reading their trials again.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "bioptic/stats/verdict.h"
#include "bioptic/study/summary.h"

namespace bioptic {

inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// A curve over the seeds of an arm, in quartiles, one value per epoch of OverviewArm::epochs.
struct OverviewCurve {
  std::vector<double> low, median, high;
};

// Accuracies and their limits are parts of 1, NaN where there is none.
struct OverviewArm {
  std::string name;
  int figure = 0;  // of the report that the study repeats; 0 = none
  std::size_t trials = 0;
  int collapsed = 0;
  double test_accuracy = kUndefined, test_sd = kUndefined;       // over seeds
  double seeds_low = kUndefined, seeds_high = kUndefined;        // 95 %, new seeds
  double patients_low = kUndefined, patients_high = kUndefined;  // 95 %, new seeds and patients
  double val_accuracy = kUndefined;
  double reported = kUndefined;  // the report's test accuracy
  std::vector<double> by_seed;   // test accuracy of each finished trial
  std::vector<int> epochs;       // at most kMostPoints of them, the first and the last among them
  // Training: the running mean over each epoch.
  OverviewCurve training_accuracy, validation_accuracy, training_loss, validation_loss;
};

// Test accuracy of two arms, as it stands beside the verdict, in parts of 1.
struct OverviewPair {
  std::string a, b;
  Verdict verdict = Verdict::not_allowed;  // positive: a is better
  double difference = kUndefined, low = kUndefined, high = kUndefined, confidence = kUndefined;
  std::string reason;  // of not_allowed
};

struct OverviewClaim {
  std::string id, sentence;
  std::string effect_of;  // "test accuracy of 'a' less that of 'b'"
  std::string reason;     // of not_allowed
  Verdict verdict = Verdict::not_allowed;
  bool gap = false;       // speaks of the gap from validation to test ...
  bool shift = false;     // ... and of its cause
  bool patients = false;  // the verdict is for new patients, too
  bool points = true;     // the effect is in parts of 1 that are shown as points
  double null_value = 0;  // 1/2 for a share of seeds
  double effect = kUndefined, low = kUndefined, high = kUndefined, confidence = kUndefined;
};

struct StudyOverview {
  std::string name, question;
  std::string version;           // of the program
  bool simulated = false;        // the phantom's images ...
  bool shift_by_design = false;  // ... whose test split comes from another scanner
  bool patients_known = false;   // groups are more than single images
  bool patients = true;          // verdicts of pairs are for new patients, too
  int width = 0, height = 0;     // pixels
  std::size_t images = 0, train = 0, val = 0, test = 0, test_groups = 0;
  std::size_t shared_groups = 0;  // of test_groups, those that training or validation have, too
  std::size_t seeds = 0;          // of the arm with most
  double margin = 0;              // of accuracy, parts of 1
  bool unfinished = false;
  std::vector<OverviewArm> arms;
  std::vector<OverviewPair> pairs;
  std::vector<OverviewClaim> claims;
};

inline constexpr std::size_t kMostPoints = 60;

StudyOverview overview_of(const StudySummary& summary);

// overview.json's content, and back.  overview_from_json throws nlohmann::json::exception for text
// that overview_json did not write.
std::string overview_json(const StudyOverview& study);
StudyOverview overview_from_json(const std::string& text);

}  // namespace bioptic
