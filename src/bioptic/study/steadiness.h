// How steady every arm's curves are: the indices per trial, and their mean over seeds.
#pragma once

#include <string>
#include <vector>

#include "bioptic/study/claim_spec.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// Epochs that curves are judged over; last 0 = to the end.
struct EpochWindow {
  int first = 1, last = 0;
  bool operator==(const EpochWindow&) const = default;
};

struct Steadiness {
  std::string arm, split, metric;  // split: val, train, train_running; metric: accuracy, loss
  CurveValue index = CurveValue::step_spread;
  EpochWindow window;
  struct Seed {
    int seed;
    double value;
  };
  std::vector<Seed> seeds;  // trials whose curve has the index
  int undefined = 0;        // trials whose curve does not: too short, or not finite
  MetricSummary over_seeds;
};

// By window (the whole run, then those that claims name), split, metric, index, arm.
std::vector<Steadiness> steadiness(const StudySummary& summary);

// The claims and parts of claims that speak of an index of steadiness.
std::vector<const ClaimSpec*> steadiness_claims(const StudySummary& summary);

}  // namespace bioptic
