#include "bioptic/train/scored_split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bioptic/base/portable_math.h"
#include "bioptic/base/random.h"

namespace bioptic {
namespace {

// The definition, class by class: z_k - log(sum of exp(z_j) over the others), summed by size.
double plain_log_odds(const std::vector<float>& row, std::size_t k) {
  std::vector<double> others;
  for (std::size_t j = 0; j < row.size(); ++j) {
    if (j != k) others.push_back(static_cast<double>(row[j]));
  }
  std::sort(others.begin(), others.end());
  double sum = 0;
  for (const double z : others) sum += portable::exp(z - others.back());
  return static_cast<double>(row[k]) - others.back() - portable::log(sum);
}

TEST(ClassLogOdds, AreTheDefinitionsBitForBitWithTiesAndExtremes) {
  RandomStream stream(3, "log odds");
  for (const int classes : {3, 4, 9, 100}) {
    Reading reading;
    reading.loss.kind = LossKind::cross_entropy;
    reading.classes = classes;
    for (int repeat = 0; repeat < 50; ++repeat) {
      std::vector<float> row(static_cast<std::size_t>(classes));
      for (float& z : row) z = static_cast<float>(stream.normal() * (repeat % 5 == 0 ? 200 : 3));
      if (repeat % 3 == 1) row[0] = row[2] = *std::max_element(row.begin(), row.end());
      if (repeat % 3 == 2) std::fill(row.begin(), row.end(), row[1]);
      const std::vector<double> odds = class_log_odds(reading, row);
      for (std::size_t k = 0; k < row.size(); ++k) EXPECT_EQ(odds[k], plain_log_odds(row, k));
    }
  }
}

TEST(ClassLogOdds, AreNotANumberWhereALogitIsNone) {
  Reading reading;
  reading.loss.kind = LossKind::cross_entropy;
  reading.classes = 3;
  const std::vector<float> rows = {1, std::numeric_limits<float>::quiet_NaN(), 2, 1, 2, 3};
  const std::vector<double> odds = class_log_odds(reading, rows);
  EXPECT_TRUE(std::isnan(odds[0]) && std::isnan(odds[2]));
  EXPECT_TRUE(std::isfinite(odds[3]));
}

}  // namespace
}  // namespace bioptic
