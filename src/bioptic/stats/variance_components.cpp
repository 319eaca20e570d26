#include "bioptic/stats/variance_components.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

namespace bm = boost::math;
using Policy = bm::policies::policy<bm::policies::promote_double<false>>;

// A component's factors as bits: A = 1, B = 2, C = 4, in the order of Component.
constexpr std::array<unsigned, kComponents> kFactors = {1, 2, 4, 3, 5, 6, 7};

// Means of the cells over the factors that `keep` lacks, one per combination of those it has.
std::vector<double> marginal_means(std::span<const double> values,
                                   const std::array<std::size_t, 3>& levels, unsigned keep) {
  std::array<std::size_t, 3> stride{};
  std::size_t size = 1;
  for (std::size_t f = 3; f-- > 0;) {
    if ((keep >> f & 1U) == 0) continue;
    stride[f] = size;
    size *= levels[f];
  }
  std::vector<double> means(size, 0);
  std::size_t cell = 0;
  for (std::size_t i = 0; i < levels[0]; ++i) {
    for (std::size_t j = 0; j < levels[1]; ++j) {
      for (std::size_t k = 0; k < levels[2]; ++k) {
        means[i * stride[0] + j * stride[1] + k * stride[2]] += values[cell++];
      }
    }
  }
  for (double& m : means) m *= static_cast<double>(size) / static_cast<double>(values.size());
  return means;
}

// Sum over the cells of the squared interaction contrast of `factors`, an inclusion-exclusion of
// marginal means.
double sum_of_squares(std::span<const double> values, const std::array<std::size_t, 3>& levels,
                      unsigned factors) {
  std::vector<double> contrast(values.size(), 0);
  for (unsigned keep = 0; keep < 8; ++keep) {
    if ((keep & factors) != keep) continue;
    const std::vector<double> means = marginal_means(values, levels, keep);
    const unsigned dropped = factors & ~keep;
    const int lost = static_cast<int>((dropped & 1U) + (dropped >> 1 & 1U) + (dropped >> 2 & 1U));
    const double sign = lost % 2 == 0 ? 1 : -1;
    std::size_t cell = 0;
    for (std::size_t i = 0; i < levels[0]; ++i) {
      for (std::size_t j = 0; j < levels[1]; ++j) {
        for (std::size_t k = 0; k < levels[2]; ++k) {
          std::size_t at = 0;
          if ((keep & 1U) != 0) at = at * levels[0] + i;
          if ((keep & 2U) != 0) at = at * levels[1] + j;
          if ((keep & 4U) != 0) at = at * levels[2] + k;
          contrast[cell++] += sign * means[at];
        }
      }
    }
  }
  double sum = 0;
  for (const double c : contrast) sum += c * c;
  return sum;
}

struct Term {
  double value = 0;  // coefficient times mean square
  double df = 0;
};

double chi_over_df(double p, double df) {
  return bm::quantile(bm::chi_squared_distribution<double, Policy>(df), p) / df;
}

double f_quantile(double p, double df1, double df2) {
  return bm::quantile(bm::fisher_f_distribution<double, Policy>(df1, df2), p);
}

// Squared distance from sum(plus) - sum(minus) to one of its limits (Ting et al. 1990).  `p` is
// 1 - alpha/2 for the lower limit, where `own` are the added terms; for the upper limit, the terms
// change places and p is still that of the terms that pull towards the limit.
double squared_distance(const std::vector<Term>& own, const std::vector<Term>& other, double p) {
  const auto g = [&](double df) { return 1 - 1 / chi_over_df(p, df); };
  const auto h = [&](double df) { return 1 / chi_over_df(1 - p, df) - 1; };
  double v = 0;
  for (const Term& q : own) v += std::pow(g(q.df) * q.value, 2);
  for (const Term& r : other) v += std::pow(h(r.df) * r.value, 2);
  for (const Term& q : own) {
    for (const Term& r : other) {
      const double f = f_quantile(p, q.df, r.df);
      const double cross =
          (std::pow(f - 1, 2) - std::pow(g(q.df) * f, 2) - std::pow(h(r.df), 2)) / f;
      v += cross * q.value * r.value;
    }
  }
  for (std::size_t i = 0; i < own.size(); ++i) {
    for (std::size_t j = i + 1; j < own.size(); ++j) {
      const double n = own[i].df, m = own[j].df;
      const double pair = std::pow(g(n + m) * (n + m), 2) / (n * m) - std::pow(g(n), 2) * n / m -
                          std::pow(g(m), 2) * m / n;
      v += pair / static_cast<double>(own.size() - 1) * own[i].value * own[j].value;
    }
  }
  return std::max(v, 0.0);
}

void check(std::span<const double> values, const std::array<std::size_t, 3>& levels) {
  if (std::any_of(levels.begin(), levels.end(), [](std::size_t n) { return n < 2; }) ||
      levels[0] * levels[1] * levels[2] != values.size()) {
    throw InputError(
        "variance components need three sources with at least two seeds each and one trial for "
        "every combination");
  }
  if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); })) {
    throw InputError("variance components need finite values: some trial has none");
  }
}

}  // namespace

std::string_view letters(Component component) {
  constexpr std::array<std::string_view, kComponents> names = {"A",  "B",  "C",  "AB",
                                                               "AC", "BC", "ABC"};
  return names[static_cast<std::size_t>(component)];
}

VarianceComponents variance_components(std::span<const double> values,
                                       std::array<std::size_t, 3> levels, double confidence) {
  check(values, levels);
  // Differences to the first trial, so that equal trials give exactly 0 and not a rounding rest.
  std::vector<double> moved;
  for (const double v : values) moved.push_back(v - values[0]);
  VarianceComponents result;
  result.mean = values[0] + marginal_means(moved, levels, 0)[0];
  for (std::size_t c = 0; c < kComponents; ++c) {
    double df = 1;
    for (std::size_t f = 0; f < 3; ++f) {
      if ((kFactors[c] >> f & 1U) != 0) df *= static_cast<double>(levels[f] - 1);
    }
    result.components[c].degrees_of_freedom = df;
    result.components[c].mean_square = sum_of_squares(moved, levels, kFactors[c]) / df;
  }

  // The expected mean square of a set of factors is the sum, over the components that contain it,
  // of the component times the product of the levels outside the component.  Moebius inversion:
  // component = alternating sum of the mean squares of its supersets / levels outside it.
  const double p = 0.5 + confidence / 2;
  for (std::size_t c = 0; c < kComponents; ++c) {
    double outside = 1;
    for (std::size_t f = 0; f < 3; ++f) {
      if ((kFactors[c] >> f & 1U) == 0) outside *= static_cast<double>(levels[f]);
    }
    std::vector<Term> plus, minus;
    for (std::size_t s = 0; s < kComponents; ++s) {
      if ((kFactors[s] & kFactors[c]) != kFactors[c]) continue;
      const unsigned more = kFactors[s] & ~kFactors[c];
      const bool odd = more == 1 || more == 2 || more == 4;  // one factor more
      const VarianceComponent& superset = result.components[s];
      (odd ? minus : plus).push_back({superset.mean_square / outside, superset.degrees_of_freedom});
    }
    VarianceComponent& component = result.components[c];
    for (const Term& t : plus) component.estimate += t.value;
    for (const Term& t : minus) component.estimate -= t.value;
    component.negative = component.estimate < 0;
    component.variance = std::max(component.estimate, 0.0);
    result.total += component.variance;
    component.low = std::max(0.0, component.estimate - std::sqrt(squared_distance(plus, minus, p)));
    component.high =
        std::max(0.0, component.estimate + std::sqrt(squared_distance(minus, plus, p)));
  }
  for (VarianceComponent& component : result.components) {
    component.share = result.total > 0 ? component.variance / result.total
                                       : std::numeric_limits<double>::quiet_NaN();
  }
  return result;
}

}  // namespace bioptic
