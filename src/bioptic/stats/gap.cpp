#include "bioptic/stats/gap.h"

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

using Rate = std::optional<double>;

Rate difference(const Rate& a, const Rate& b) {
  if (!a || !b) return std::nullopt;
  return *a - *b;
}

Rate times(double weight, const Rate& a) {
  if (!a) return std::nullopt;
  return weight * *a;
}

GapParts parts_of(const GapRates& r) {
  const double pi = r.test_prevalence;
  if (!(pi >= 0 && pi <= 1)) throw InputError("the prevalence of a test split is not in [0, 1]");
  // The hold-out's accuracy if its classes had the shares of test.
  Rate reweighted;
  if (r.holdout_sensitivity && r.holdout_specificity) {
    reweighted = pi * *r.holdout_sensitivity + (1 - pi) * *r.holdout_specificity;
  }
  GapParts p;
  p.total = difference(r.validation_accuracy, r.test_accuracy);
  p.selection_and_leakage = difference(r.validation_accuracy, r.holdout_accuracy);
  p.prevalence = difference(r.holdout_accuracy, reweighted);
  p.rest = difference(reweighted, r.test_accuracy);
  p.rest_sensitivity = times(pi, difference(r.holdout_sensitivity, r.test_sensitivity));
  p.rest_specificity = times(1 - pi, difference(r.holdout_specificity, r.test_specificity));
  return p;
}

}  // namespace

std::vector<GapParts> gap_parts(std::span<const GapRates> seeds) {
  std::vector<GapParts> parts;
  for (const GapRates& rates : seeds) parts.push_back(parts_of(rates));
  return parts;
}

}  // namespace bioptic
