// All that a report is made of: pure data, no SQL, no training.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bioptic/data/audit.h"
#include "bioptic/data/dataset.h"
#include "bioptic/study/arm_pairs.h"
#include "bioptic/study/chosen.h"
#include "bioptic/study/claim_result.h"
#include "bioptic/study/comparison.h"
#include "bioptic/study/gap.h"
#include "bioptic/study/model_metrics.h"
#include "bioptic/study/study_images.h"
#include "bioptic/study/variance.h"
#include "bioptic/train/trial.h"

namespace bioptic {

// Mean over the seeds in which the metric is defined.
struct MetricSummary {
  // 95 % over seeds: the training repeated, on the same images.  sd, low, high are NaN for one
  // seed.  Intervals are cut to what the metric can be.
  double mean = 0, sd = 0, low = 0, high = 0;
  int seeds = 0;
  // 95 % over seeds and patients: the training repeated, and on new patients too.  NaN for one
  // seed, where seeds predict different images, and where the metric is undefined in a seed or
  // without some group.
  double patients_low = std::numeric_limits<double>::quiet_NaN();
  double patients_high = std::numeric_limits<double>::quiet_NaN();
};

struct TrialSummary {
  std::string id, arm;
  int seed = 0;  // the running number by which trials pair
  TrialSeeds seeds;
  TrialResult result;  // without weights
  LossSpec loss;       // as it was computed: class weights as numbers, by label
  // train_loss, train_accuracy, val_loss, val_accuracy, test_loss, test_accuracy; and for each
  // split with predictions (val, test, holdout) <split>_<metric> as model_metrics() names them.
  // What is undefined is absent.
  std::map<std::string, double> metrics;
  // Over patients, for this one trained model; see ModelMetrics.
  std::map<std::string, PatientInterval> intervals, group_intervals;
};

struct ArmSummary {
  std::string name;
  std::vector<std::pair<std::string, std::string>> settings;  // all, in order, as text
  std::string differs;               // what this arm alone sets, for tables: "batch_size = 10"
  std::vector<TrialSummary> trials;  // finished ones (done and collapsed), by seed
  int collapsed = 0, failed = 0, missing = 0;
  std::map<std::string, MetricSummary> metrics;
  // By split: mean counts over seeds, classes x classes, row = label, column = predicted.
  std::map<std::string, std::vector<double>> confusion;
  std::map<std::string, double> reported;  // "test_accuracy" -> 0.725, as the study gives it
  int reported_figure = 0;                 // of the report that the study repeats; 0 = none
  LossKind loss = LossKind::bce_with_logits;
  AugmentSpec augment;
  int outputs = 1;
  bool val_by_group = false;  // validation was drawn by group, not by image
  std::string control;        // name of the arm among StudySummary::controls that is this one's
  Chosen chosen;              // by validation
  std::string selected_by;    // validation metric that chose the epoch; "" = the last counts
  std::string threshold;  // words: "0.5", "Youden on validation", "sensitivity 0.95 on validation"
};

struct StudySummary {
  std::string name, question, file;  // file: the study's path as given
  std::string toml;                  // the study's text
  std::string command;               // how to reproduce
  double margin = 0.01, detect = 0.02;
  Inference inference = Inference::patients;
  PairPlan pairs;
  std::string engine;
  std::vector<ArmSummary> arms;
  // The arms that [shift] control adds: other splits, so they are not compared with `arms`.
  std::vector<ArmSummary> controls;
  std::vector<Comparison> comparisons;  // of pairs of arms (arm_pairs.h), test accuracy first
  // Data
  std::string dataset_path, dataset_hash;
  DatasetInfo dataset;
  int positive = 1;                                                                   // label
  std::size_t train_images = 0, val_images = 0, test_images = 0, holdout_images = 0;  // seed 0
  std::size_t groups = 0, test_groups = 0;
  std::string groups_from;
  std::vector<std::string> notes;  // validation joined training, window, collapsed runs, ...
  StudyImages images;              // by row of the dataset
  std::map<std::string, std::string> environment;  // version, compiler, processor, host, system
  bool unfinished = false;
  std::vector<ClaimResult> claims;    // in the order of the file
  std::vector<ArmVariance> variance;  // where seeds are crossed; see summarise_variance.h
  std::optional<GapSummary> gap;      // where there is a hold-out; see summarise_gap.h
  std::optional<Audit> audit;         // see study_audit.h; no pairs of near duplicates
};

}  // namespace bioptic
