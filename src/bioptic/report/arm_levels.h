// Levels of arms, as text and JSON: what comes before any comparison of them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "bioptic/study/arm_levels.h"

namespace bioptic {

// One metric of every arm of a table.
struct MetricLevels {
  Metric metric = Metric::accuracy;
  std::vector<ArmLevel> arms;  // parallel to PredictionTable::arms
};

// {mean, sd, low, high, seeds, patients_low, patients_high} as arms[].metrics of summary.json, and
// values: {seed: value}.  What is not a number is null.
nlohmann::json level_json(const ArmLevel& level);

// For the terminal: one row a metric and arm, rates in points of 100, and what the intervals mean.
std::string arm_levels_text(const PredictionTable& table, std::span<const MetricLevels> levels);

}  // namespace bioptic
