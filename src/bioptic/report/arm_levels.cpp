#include "bioptic/report/arm_levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/report/text.h"

namespace bioptic {
namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(); }

// Rates in points of 100; areas and losses as they are.
struct Scale {
  double times = 1;
  int digits = 4;
};
Scale scale_of(Metric metric) { return has_threshold(metric) ? Scale{100, 2} : Scale{}; }

std::string between(double low, double high, Scale scale) {
  if (std::isnan(low)) return "-";
  return fmt::format("[{}, {}]", fixed_text(scale.times * low, scale.digits),
                     fixed_text(scale.times * high, scale.digits));
}

std::string mean_sd(const MetricSummary& m, Scale scale) {
  std::string text = fixed_text(scale.times * m.mean, scale.digits);
  if (!std::isnan(m.sd)) text += " ± " + fixed_text(scale.times * m.sd, scale.digits);
  return text;
}

}  // namespace

json level_json(const ArmLevel& level) {
  const MetricSummary& m = level.summary;
  json values = json::object();
  for (const auto& [seed, value] : level.values) values[std::to_string(seed)] = number(value);
  return {{"mean", number(m.mean)},
          {"sd", number(m.sd)},
          {"low", number(m.low)},
          {"high", number(m.high)},
          {"seeds", m.seeds},
          {"patients_low", number(m.patients_low)},
          {"patients_high", number(m.patients_high)},
          {"values", values}};
}

std::string arm_levels_text(const PredictionTable& table, std::span<const MetricLevels> levels) {
  std::vector<std::vector<std::string>> rows = {
      {"arm", "metric", "mean ± sd", "over seeds", "and patients", "seeds"}};
  for (const MetricLevels& of : levels) {
    const Scale scale = scale_of(of.metric);
    for (std::size_t a = 0; a < of.arms.size(); ++a) {
      const MetricSummary& m = of.arms[a].summary;
      rows.push_back({shortened(table.arms[a].name, 24),
                      fmt::format("{} {}", table.split, name_of(of.metric)), mean_sd(m, scale),
                      between(m.low, m.high, scale),
                      between(m.patients_low, m.patients_high, scale), std::to_string(m.seeds)});
    }
  }
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], display_width(row[c]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string fill(widths[c] - display_width(row[c]), ' ');
      const bool words = c < 2;
      out += (c == 0 ? "" : "  ") + (words ? row[c] + fill : fill + row[c]);
    }
    out += "\n";
  }
  return out +
         "Rates in points of 100. 95 % intervals of the mean: over seeds, on these images; over "
         "seeds and\npatients, on other patients too.\n";
}

}  // namespace bioptic
