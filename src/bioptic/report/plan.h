// How many seeds and cases a comparison needs: table, JSON and figure of power.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bioptic/report/gnuplot.h"
#include "bioptic/stats/planned_comparison.h"

namespace bioptic {

struct Plan {
  double detect = 0.02;  // true difference, in the metric's units; > 0
  // Of a paired difference: V(S, G) = seeds/S + groups/G + error/(S G).  With a pilot the numbers
  // go by the limits of V, without one by V itself.
  VarianceParts parts;
  PowerRule rule;
  std::vector<int> seeds = {5, 7, 10, 15, 20, 30, 50, 100};  // to tabulate, at least 2 each
  std::vector<int> cases;                                    // likewise
  int present_seeds = 0, present_cases = 0;  // of the pilot, or as asked for; at least 2
  std::string source;                        // where the parts come from, a sentence
  // The pairs of arms of the pilot; `parts` are those of the one that asks for most.
  struct Pair {
    std::string a, b;
    NeededRange seeds, cases;  // with present_cases, with present_seeds
  };
  std::vector<Pair> pairs;
  std::size_t decides = 0;  // of the pairs
};

// Power 0.8, two-sided, at the rule's level, by the crossed t test (E2).  The power of `detect` for
// every tabulated pair; seeds needed for every number of cases and the reverse.
std::string plan_text(const Plan& plan);
nlohmann::json plan_json(const Plan& plan);
// Power against the number of seeds, one curve a number of cases.
Figure plan_figure(const Plan& plan);

}  // namespace bioptic
