#include "bioptic/report/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/report/text.h"
#include "bioptic/stats/power.h"

namespace bioptic {
namespace {

using nlohmann::json;

json number(const std::optional<int>& n) { return n ? json(*n) : json(); }

std::string needed_text(const std::optional<int>& n) { return n ? std::to_string(*n) : "none"; }

// The sentence that answers the question.
std::string answer(const Plan& p) {
  const std::optional<int> seeds = seeds_needed(p.parts, p.present_cases, p.detect);
  const std::optional<int> cases = groups_needed(p.parts, p.present_seeds, p.detect);
  if (!seeds && !cases) {
    return fmt::format(
        "With {} cases no number of seeds suffices, and with {} seeds no number of cases: it takes "
        "more of\nboth, see the table.",
        p.present_cases, p.present_seeds);
  }
  std::string text = fmt::format("With {} cases: ", p.present_cases);
  text += seeds ? fmt::format("{} seeds.", *seeds)
                : std::string("no number of seeds suffices; only more cases can.");
  text += fmt::format("  With {} seeds: ", p.present_seeds);
  text += cases ? fmt::format("{} cases.", *cases)
                : std::string("no number of cases suffices; only more seeds can.");
  return text;
}

}  // namespace

std::string plan_text(const Plan& p) {
  std::string out = fmt::format(
      "To find a true difference of {} with a power of {:.1f} (two-sided test, level 0.05, other "
      "seeds\nand other cases):\n\n{}\n\n{}\n\n",
      number_text(p.detect), kPowerWanted, answer(p), p.source);
  out += "Power by number of seeds (rows) and cases (columns; a case is a patient):\n\n  seeds";
  for (const int g : p.cases) out += fmt::format("{:>9}", g);
  out += "   cases needed\n";
  for (const int s : p.seeds) {
    out += fmt::format("{:>7}", s);
    for (const int g : p.cases) {
      const double power = crossed_power(p.parts, s, g, p.detect);
      out += fmt::format("{:>8.2f}{}", power, power >= kPowerWanted ? '*' : ' ');
    }
    out += fmt::format("   {:>12}\n", needed_text(groups_needed(p.parts, s, p.detect)));
  }
  out += " needed";
  for (const int g : p.cases) {
    out += fmt::format("{:>8} ", needed_text(seeds_needed(p.parts, g, p.detect)));
  }
  return out +
         "\n\n* enough; last row: seeds needed with so many cases; last column: cases needed "
         "with so many seeds.\n";
}

json plan_json(const Plan& p) {
  json power = json::array(), by_cases = json::array(), by_seeds = json::array();
  for (const int s : p.seeds) {
    by_seeds.push_back({{"seeds", s}, {"cases", number(groups_needed(p.parts, s, p.detect))}});
    for (const int g : p.cases) {
      power.push_back(
          {{"seeds", s}, {"cases", g}, {"power", crossed_power(p.parts, s, g, p.detect)}});
    }
  }
  for (const int g : p.cases) {
    by_cases.push_back({{"cases", g}, {"seeds", number(seeds_needed(p.parts, g, p.detect))}});
  }
  return {{"detect", p.detect},
          {"power_wanted", kPowerWanted},
          {"alpha", 0.05},
          {"sd_seeds", std::sqrt(p.parts.seeds)},
          {"sd_cases", std::sqrt(p.parts.groups)},
          {"sd_rest", std::sqrt(p.parts.error)},
          {"source", p.source},
          {"seeds", p.present_seeds},
          {"cases", p.present_cases},
          {"seeds_needed", number(seeds_needed(p.parts, p.present_cases, p.detect))},
          {"cases_needed", number(groups_needed(p.parts, p.present_seeds, p.detect))},
          {"seeds_needed_by_cases", by_cases},
          {"cases_needed_by_seeds", by_seeds},
          {"power", power}};
}

Figure plan_figure(const Plan& p) {
  Figure f;
  f.name = "power";
  f.width_mm = 110;
  f.height_mm = 75;
  f.caption = fmt::format(
      "Power to find a true difference of {} against the number of seeds, for several numbers of "
      "cases (two-sided crossed t test, level 0.05). Dotted: 0.8.",
      number_text(p.detect));
  const int most = std::max(20, *std::max_element(p.seeds.begin(), p.seeds.end()));
  std::string plots;
  for (std::size_t k = 0; k < p.cases.size(); ++k) {
    f.body += fmt::format("$p{} << EOD\n", k);
    for (int s = 2; s <= most; s += s < 30 ? 1 : 5) {
      f.body +=
          fmt::format("{} {}\n", s, number_text(crossed_power(p.parts, s, p.cases[k], p.detect)));
    }
    f.body += "EOD\n";
    plots += fmt::format(", $p{} using 1:2 with lines lw 1.3 dt {} lc rgb '{}' title '{} cases'", k,
                         series_dash(k), series_colour(k), p.cases[k]);
  }
  f.body += fmt::format(
      "set logscale x\nset xrange [2:{}]\nset xtics (2, 5, 10, 20, 50, 100, 200, 500)\n"
      "set yrange [0:1]\nset ytics 0.2\nset xlabel 'seeds' offset 0,0.5\n"
      "set ylabel 'power' offset 1\nset key outside right center\n"
      "plot {} with lines lw 0.7 dt 3 lc rgb '#666666' notitle{}",
      most, kPowerWanted, plots);
  return f;
}

}  // namespace bioptic
