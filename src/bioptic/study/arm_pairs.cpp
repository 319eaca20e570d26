#include "bioptic/study/arm_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

std::size_t place_of(std::span<const std::string> arms, const std::string& name) {
  const auto found = std::find(arms.begin(), arms.end(), name);
  if (found == arms.end()) {
    const std::vector<std::string_view> names(arms.begin(), arms.end());
    throw InputError("'" + name + "': there is no such arm" + suggestion(name, names));
  }
  return static_cast<std::size_t>(found - arms.begin());
}

std::vector<ArmPair> with_reference(std::size_t arms, std::size_t reference) {
  std::vector<ArmPair> pairs;
  for (std::size_t a = 0; a < arms; ++a) {
    if (a != reference) pairs.push_back({a, reference});
  }
  return pairs;
}

std::vector<ArmPair> planned(std::span<const std::string> arms, const PairPlan& plan) {
  std::vector<ArmPair> pairs;
  for (const auto& [a, b] : plan.pairs) {
    const ArmPair pair{place_of(arms, a), place_of(arms, b)};
    if (pair.a == pair.b) throw InputError("'" + a + "': is to be compared with itself");
    for (const ArmPair& other : pairs) {
      if (std::minmax(other.a, other.b) == std::minmax(pair.a, pair.b)) {
        throw InputError(fmt::format("'{}' and '{}': are given twice", a, b));
      }
    }
    pairs.push_back(pair);
  }
  return pairs;
}

}  // namespace

ArmPairs pairs_of(std::span<const std::string> arms, const PairPlan& plan) {
  const std::size_t n = arms.size();
  if (!plan.pairs.empty()) return {planned(arms, plan), ""};
  if (!plan.reference.empty()) return {with_reference(n, place_of(arms, plan.reference)), ""};
  const std::size_t all = n < 2 ? 0 : n * (n - 1) / 2;
  if (all > kMostPairs) {
    return {with_reference(n, 0),
            fmt::format("{} arms make {} pairs, and at most {} are compared unless they are "
                        "planned: each arm was compared with the first, {}. Name another reference "
                        "([study] reference; compare --reference), or the pairs ([study] pairs).",
                        n, all, kMostPairs, arms[0])};
  }
  ArmPairs out;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b) out.pairs.push_back({a, b});
  }
  return out;
}

}  // namespace bioptic
