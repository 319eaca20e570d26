// Confidence limits of a sum, or a difference, of expected mean squares.
//
// Graybill and Wang (1980) for sums and Ting, Burdick, Graybill, Jeyaratnam and Lu (1990) for
// differences: the "modified large-sample" limits, as in Burdick and Graybill (1992, sections 3.2
// and 3.3), without the terms between two mean squares of the same sign.  They are exact for a
// single mean square.
#pragma once

#include <span>
#include <vector>

#include "bioptic/stats/estimate.h"

namespace bioptic {

// A mean square (>= 0) with its degrees of freedom: value * df / expectation is close to
// chi-squared.  Different ones are taken for independent.
struct MeanSquare {
  double value = 0, df = 1;
};

class VarianceLimits {
 public:
  // confidence: of each of the two limits by itself, between 0.5 and 1.
  VarianceLimits(std::vector<MeanSquare> mean_squares, double confidence);

  // Of the sum over the mean squares' expectations of coefficient * expectation: one coefficient
  // each, of any sign.  The low limit may be negative.
  Interval of(std::span<const double> coefficients) const;

 private:
  std::vector<MeanSquare> mean_squares_;
  // How far below and above its expectation's estimate each one's own limit lies, in parts of it.
  std::vector<double> below_, above_;
  // [positive * count + negative]: of their product, in the square of the distance to the limit.
  std::vector<double> low_cross_, high_cross_;
};

// From a table of seeds (rows) x groups, how many degrees of freedom its mean squares of groups and
// of error have: those of normal values, (G - 1) and (S - 1)(G - 1), at most, and fewer where a few
// groups make up most of them (rare errors: most patients are right in every seed).  2 / the
// squared coefficient of variation of the mean square (Satterthwaite 1946), for the groups by the
// kurtosis of the groups' means, for the error by how the groups' own error variances scatter.
struct TableDegrees {
  double groups = 0, error = 0;
};
TableDegrees degrees_of_table(std::span<const double> table, std::size_t seeds, std::size_t groups);

}  // namespace bioptic
