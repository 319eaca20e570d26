// How classes and images were weighted in training, for people and records to read.
#pragma once

#include <string>
#include <vector>

#include "bioptic/data/dataset.h"
#include "bioptic/study/spec.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// The loss that a finished trial was trained with, weights as numbers.  Its training images are
// those that it did not predict; `images`: all of the dataset, by row.
LossSpec trained_loss(const TrainSpec& train, const TrialResult& result, const StudyImages& images,
                      int positive, const std::vector<std::string>& classes);

// "benign: 0.625, malignant: 2.5"
std::string class_weights_text(const std::vector<double>& weights,
                               const std::vector<std::string>& classes);

// A sentence for every arm with class_weight = "balanced", with its weights.  Trials must be in
// place, with their losses.
std::vector<std::string> balanced_notes(const StudySummary& summary, const StudySpec& spec);

// Whether the classes counted alike when two arms were trained: the same class weights (of the
// first seed) and the same sampler.
bool weighted_alike(const ArmSummary& a, const ArmSummary& b);

// Where the classes counted differently in some arms: what that does to probabilities.  "" where
// all are alike.
std::string unequal_weights_note(const StudySummary& summary);

// Which arms use the dataset's weights and which do not; empty where it has none.
std::vector<std::string> sample_weight_notes(const StudySpec& spec, const Dataset& dataset);

}  // namespace bioptic
