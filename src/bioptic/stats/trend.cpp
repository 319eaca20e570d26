#include "bioptic/stats/trend.h"

#include <algorithm>
#include <cmath>

#include "bioptic/base/error.h"

namespace bioptic {

std::vector<double> trend_weights(std::span<const double> settings) {
  std::vector<double> x;
  double mean = 0;
  for (const double setting : settings) {
    if (!(setting > 0) || !std::isfinite(setting)) {
      throw InputError("a trend needs settings above 0");
    }
    x.push_back(std::log(setting));
    mean += x.back() / static_cast<double>(settings.size());
  }
  double squares = 0;
  for (double& v : x) {
    v -= mean;
    squares += v * v;
  }
  if (x.empty() || squares <= 0) throw InputError("a trend needs two different settings");
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const double span = *high - *low;
  for (double& v : x) v *= span / squares;
  return x;
}

}  // namespace bioptic
