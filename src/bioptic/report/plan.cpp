#include "bioptic/report/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace {

using nlohmann::json;

json number(const std::optional<int>& n) { return n ? json(*n) : json(); }

json range(const NeededRange& r) {
  return r.low || r.safe ? json::array({number(r.low), number(r.safe)}) : json();
}

// Which V the plan goes by.
Of planned(const Plan& p) { return p.parts.pilot ? Of::high : Of::estimate; }

std::string needed_text(const NeededRange& r) { return r.safe ? std::to_string(*r.safe) : "none"; }

// "14 seeds (6 to 14)."; other: "cases", of which more may be needed instead.
std::string needed_words(const NeededRange& r, const char* what, const char* other) {
  if (!r.low) {
    return fmt::format("no number of {} suffices; only more {} can.", what, other);
  }
  if (!r.safe) {
    return fmt::format("{} {} or more, and the pilot cannot tell whether any number suffices.",
                       *r.low, what);
  }
  if (*r.low < *r.safe) return fmt::format("{} {} ({} to {}).", *r.safe, what, *r.low, *r.safe);
  return fmt::format("{} {}.", *r.safe, what);
}

std::string words(int count, std::string_view noun) {
  return counted(static_cast<std::size_t>(count), noun);
}

// The sentence that answers the question.
std::string answer(const Plan& p, const PlannedComparison& comparison) {
  const NeededRange seeds = comparison.seeds_needed(p.present_cases, p.detect);
  const NeededRange cases = comparison.groups_needed(p.present_seeds, p.detect);
  if (!seeds.low && !cases.low) {
    return fmt::format(
        "With {} no number of seeds suffices, and with {} no number of cases: it takes more "
        "of\nboth, "
        "see the table.",
        words(p.present_cases, "case"), words(p.present_seeds, "seed"));
  }
  std::string text =
      fmt::format("With {}: {}\nWith {}: {}", words(p.present_cases, "case"),
                  needed_words(seeds, "seeds", "cases"), words(p.present_seeds, "seed"),
                  needed_words(cases, "cases", "seeds"));
  const auto open = [](const NeededRange& r) { return r.safe && *r.low < *r.safe; };
  if (open(seeds) || open(cases)) {
    text += fmt::format(
        "\n\nIn brackets: as few and as many as it may take, by the lower and the upper {:.0f} % "
        "limit of "
        "the\nvariance that {:.0f} seeds and {:.0f} cases leave possible. Plan with the larger "
        "number; the "
        "table does.",
        100 * kPlanConfidence, p.parts.pilot->seeds, p.parts.pilot->groups);
  }
  return text;
}

}  // namespace

std::string plan_text(const Plan& p) {
  const auto comparison = PlannedComparison::crossed(p.parts, p.rule);
  std::string out = fmt::format(
      "To find a true difference of {} with a power of {:.1f} (two-sided test, level 0.05, other "
      "seeds\nand other cases):\n\n{}\n\n{}\n\n",
      number_text(p.detect), kPowerWanted, answer(p, comparison), p.source);
  out += "Power by number of seeds (rows) and cases (columns; a case is a patient):\n\n  seeds";
  for (const int g : p.cases) out += fmt::format("{:>9}", g);
  out += "   cases needed\n";
  for (const int s : p.seeds) {
    out += fmt::format("{:>7}", s);
    for (const int g : p.cases) {
      const double power = comparison.power(s, g, p.detect, planned(p));
      out += fmt::format("{:>8.2f}{}", power, power >= kPowerWanted ? '*' : ' ');
    }
    out += fmt::format("   {:>12}\n", needed_text(comparison.groups_needed(s, p.detect)));
  }
  out += " needed";
  for (const int g : p.cases) {
    out += fmt::format("{:>8} ", needed_text(comparison.seeds_needed(g, p.detect)));
  }
  return out +
         "\n\n* enough; last row: seeds needed with so many cases; last column: cases needed "
         "with so many seeds.\n";
}

json plan_json(const Plan& p) {
  const auto comparison = PlannedComparison::crossed(p.parts, p.rule);
  json power = json::array(), by_cases = json::array(), by_seeds = json::array();
  json pairs = json::array();
  for (const int s : p.seeds) {
    const NeededRange cases = comparison.groups_needed(s, p.detect);
    by_seeds.push_back({{"seeds", s}, {"cases", number(cases.safe)}, {"range", range(cases)}});
    for (const int g : p.cases) {
      power.push_back(
          {{"seeds", s}, {"cases", g}, {"power", comparison.power(s, g, p.detect, planned(p))}});
    }
  }
  for (const int g : p.cases) {
    const NeededRange seeds = comparison.seeds_needed(g, p.detect);
    by_cases.push_back({{"cases", g}, {"seeds", number(seeds.safe)}, {"range", range(seeds)}});
  }
  for (const Plan::Pair& pair : p.pairs) {
    pairs.push_back({{"a", pair.a},
                     {"b", pair.b},
                     {"seeds_needed", number(pair.seeds.safe)},
                     {"seeds_needed_range", range(pair.seeds)},
                     {"cases_needed", number(pair.cases.safe)},
                     {"cases_needed_range", range(pair.cases)}});
  }
  const NeededRange seeds = comparison.seeds_needed(p.present_cases, p.detect);
  const NeededRange cases = comparison.groups_needed(p.present_seeds, p.detect);
  return {{"detect", p.detect},
          {"power_wanted", kPowerWanted},
          {"alpha", p.rule.alpha},
          {"sd_seeds", std::sqrt(p.parts.seeds)},
          {"sd_cases", std::sqrt(p.parts.groups)},
          {"sd_rest", std::sqrt(p.parts.error)},
          {"source", p.source},
          {"seeds", p.present_seeds},
          {"cases", p.present_cases},
          {"seeds_needed", number(seeds.safe)},
          {"seeds_needed_range", range(seeds)},
          {"cases_needed", number(cases.safe)},
          {"cases_needed_range", range(cases)},
          {"pairs", pairs},
          {"decides", p.pairs.empty() ? json() : pairs.at(p.decides)},
          {"seeds_needed_by_cases", by_cases},
          {"cases_needed_by_seeds", by_seeds},
          {"power", power}};
}

Figure plan_figure(const Plan& p) {
  const auto comparison = PlannedComparison::crossed(p.parts, p.rule);
  Figure f;
  f.name = "power";
  f.width_mm = 110;
  f.height_mm = 75;
  f.caption = fmt::format(
      "Power to find a true difference of {} against the number of seeds, for several numbers of "
      "cases (two-sided crossed t test, level 0.05{}). Dotted: 0.8.",
      number_text(p.detect),
      p.parts.pilot ? "; for the upper 80 % limit of the pilot's variance" : "");
  const int most = std::max(20, *std::max_element(p.seeds.begin(), p.seeds.end()));
  std::string plots;
  for (std::size_t k = 0; k < p.cases.size(); ++k) {
    f.body += fmt::format("$p{} << EOD\n", k);
    for (int s = 2; s <= most; s += s < 30 ? 1 : 5) {
      f.body += fmt::format("{} {}\n", s,
                            number_text(comparison.power(s, p.cases[k], p.detect, planned(p))));
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
