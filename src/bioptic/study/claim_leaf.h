// The single tests that claims are made of: per-seed effects with their evidence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/stats/crossed.h"
#include "bioptic/stats/verdict.h"
#include "bioptic/study/claim_spec.h"
#include "bioptic/study/metric_values.h"
#include "bioptic/study/prediction_table.h"
#include "bioptic/study/summary.h"

namespace bioptic {

// One effect, in the units and the sign of what is measured, whatever the claim's direction.
struct ClaimLeaf {
  const ClaimSpec* claim = nullptr;  // the claim, or the part of one, that it belongs to
  std::string words;                 // "test accuracy of 'a' less that of 'b'"
  std::vector<std::size_t> arms;     // indices into StudySummary::arms, the claimed first
  std::vector<std::int64_t> seeds;
  std::vector<double> per_seed;  // parallel to seeds; a shape: 1 where every curve has it, else 0
  double effect = 0;             // mean of per_seed; NaN without seeds
  double scale = 0;              // largest sum of the sizes of the values that per_seed is made of
  Evidence e1, e2;               // an estimate is there wherever `reason` is empty
  // What is asked of it: of predictions other patients (unless the study says otherwise), of curves
  // and training other seeds.
  Inference inference = Inference::patients;
  std::size_t images = 0, groups = 0;      // of E2, else 0
  std::optional<ContrastResult> contrast;  // where it is made of predictions, for planning
  std::optional<GapVariance> gap;          // likewise, of a gap with a hold-out
  std::string chosen;                      // ContrastResult::chosen
  std::string repeated = "seeds";          // likewise
  std::optional<SharedGroups> shared;      // likewise
  std::string resampled;                   // likewise
  std::string bounded_by;                  // likewise
  // Of E2 on test where some groups are shared: the effect on the others alone, in words.
  std::string apart;
  double margin = 0, detect = 0;  // 0: none
  Interval bounds = {-std::numeric_limits<double>::infinity(),
                     std::numeric_limits<double>::infinity()};  // of the effect
  bool points = true;  // effect in parts of 1, shown as points

  bool is_share() const { return claim->kind == ClaimKind::shape; }
  int hits() const;  // of a share
};

// Makes leaves; keeps the tables of predictions that several claims need.
class LeafMaker {
 public:
  explicit LeafMaker(const StudySummary& summary) : summary_(summary) {}
  // One leaf; of an order k - 1; of an all_of those of its parts are asked for part by part.
  std::vector<ClaimLeaf> leaves(const ClaimSpec& claim);

 private:
  struct Term {
    std::size_t arm;  // index into StudySummary::arms
    double weight;
  };
  ClaimLeaf start(const ClaimSpec& claim, const std::vector<Term>& terms) const;
  ClaimLeaf contrast_leaf(const ClaimSpec& claim, const std::vector<Term>& terms);
  ClaimLeaf value_leaf(const ClaimSpec& claim, const std::vector<Term>& terms);
  ClaimLeaf shape_leaf(const ClaimSpec& claim, const std::vector<Term>& terms);
  ClaimLeaf gap_leaf(const ClaimSpec& claim, const std::vector<Term>& terms);
  void gap_cases(const ClaimSpec& claim, const std::vector<Term>& terms, ClaimLeaf& leaf);
  ContrastResult predicted(const std::string& split, const std::string& metric,
                           const std::vector<Term>& terms, const std::vector<std::int64_t>& only);
  bool has_split(const std::string& split) const;
  const PredictionTable& table(const std::string& split);
  const MetricValues& values(const std::string& split, const std::string& metric);
  std::size_t arm_index(const std::string& name) const;
  std::vector<std::int64_t> seeds_of(const std::vector<Term>& terms) const;
  // Empty, or why the leaf's seeds are no trainings apart.
  std::string why_no_repetitions(const ClaimLeaf& leaf);
  // The arms' trainings gave the same scores in every seed.
  bool are_one_training(const ClaimLeaf& leaf);
  // Fills effect, E1 and what both kinds of evidence need: enough seeds, independent ones.
  void finish(ClaimLeaf& leaf);

  const StudySummary& summary_;
  std::map<std::string, PredictionTable> tables_;
  std::map<std::string, MetricValues> values_;
};

}  // namespace bioptic
