#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/base/json_text.h"
#include "bioptic/data/audit_json.h"
#include "bioptic/report/claims_json.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/gap_report.h"
#include "bioptic/report/report.h"
#include "bioptic/report/variance_report.h"

namespace bioptic {
namespace {

using nlohmann::json;

// JSON has no NaN.
json number(double value) { return std::isfinite(value) ? json(value) : json(); }

json arm_json(const ArmSummary& arm) {
  json settings = json::object(), metrics = json::object();
  for (const auto& [key, value] : arm.settings) settings[key] = value;
  for (const auto& [key, m] : arm.metrics) {
    metrics[key] = {{"mean", number(m.mean)},
                    {"sd", number(m.sd)},
                    {"low", number(m.low)},
                    {"high", number(m.high)},
                    {"seeds", m.seeds},
                    {"patients_low", number(m.patients_low)},
                    {"patients_high", number(m.patients_high)}};
  }
  json confusion = json::object();
  for (const auto& [split, counts] : arm.confusion) {
    const auto classes = static_cast<std::size_t>(std::lround(std::sqrt(counts.size())));
    for (std::size_t r = 0; r < classes; ++r) {
      const auto row = counts.begin() + static_cast<std::ptrdiff_t>(r * classes);
      confusion[split].push_back(
          std::vector<double>(row, row + static_cast<std::ptrdiff_t>(classes)));
    }
  }
  return {{"name", arm.name},           {"settings", settings},
          {"differs", arm.differs},     {"trials", arm.trials.size()},
          {"collapsed", arm.collapsed}, {"failed", arm.failed},
          {"missing", arm.missing},     {"threshold", arm.threshold},
          {"metrics", metrics},         {"confusion", confusion},
          {"reported", arm.reported}};
}

json intervals_json(const std::map<std::string, PatientInterval>& intervals) {
  json out = json::object();
  for (const auto& [key, i] : intervals) {
    out[key] = {{"low", number(i.low)}, {"high", number(i.high)}, {"method", i.method}};
  }
  return out;
}

json trial_json(const TrialSummary& trial) {
  json metrics = json::object();
  for (const auto& [key, value] : trial.metrics) metrics[key] = number(value);
  json out = {{"id", trial.id},
              {"arm", trial.arm},
              {"seed", trial.seed},
              {"seed_split", trial.seeds.split},
              {"seed_init", trial.seeds.init},
              {"seed_order", trial.seeds.order},
              {"status", name_of(trial.result.status)},
              {"selected_epoch", trial.result.selected_epoch},
              {"threshold", number(trial.result.threshold)},
              {"metrics", metrics},
              {"intervals", intervals_json(trial.intervals)},
              {"group_intervals", intervals_json(trial.group_intervals)},
              {"wall_seconds", number(trial.result.wall_seconds)},
              {"weights_sha256", trial.result.weights_sha256}};
  if (!trial.loss.class_weight.empty()) out["class_weight"] = trial.loss.class_weight;
  return out;
}

}  // namespace

std::string summary_json(const StudySummary& summary) {
  json arms = json::array(), trials = json::array();
  for (const ArmSummary& arm : summary.arms) {
    arms.push_back(arm_json(arm));
    for (const TrialSummary& trial : arm.trials) trials.push_back(trial_json(trial));
  }
  const DatasetInfo& info = summary.dataset;
  json out = {
      {"study",
       {{"name", summary.name},
        {"question", summary.question},
        {"file", summary.file},
        {"command", summary.command},
        {"engine", summary.engine},
        {"margin", summary.margin},
        {"detect", summary.detect},
        {"unfinished", summary.unfinished}}},
      {"dataset",
       {{"path", summary.dataset_path},
        {"sha256", summary.dataset_hash},
        {"images", info.images},
        {"channels", info.channels},
        {"height", info.height},
        {"width", info.width},
        {"classes", info.classes},
        {"positive", info.classes.at(static_cast<std::size_t>(summary.positive))},
        {"train_images", summary.train_images},
        {"val_images", summary.val_images},
        {"test_images", summary.test_images},
        {"holdout_images", summary.holdout_images},
        {"groups", summary.groups},
        {"test_groups", summary.test_groups},
        {"groups_from", summary.groups_from},
        {"preprocessing", json::parse(info.preprocessing.empty() ? "{}" : info.preprocessing)}}},
      {"environment", summary.environment},
      {"notes", summary.notes},
      {"comparisons", comparisons_json(summary.comparisons)},
      {"claims", claims_json(summary)},
      {"indices", indices_json(summary)},
      {"arms", arms},
      {"trials", trials}};
  if (summary.gap) out["gap"] = gap_json(*summary.gap);
  if (summary.audit) out["audit"] = json::parse(audit_json(*summary.audit));
  if (!summary.variance.empty()) out["variance"] = variance_json(summary);
  return json_text(out, 2) + "\n";
}

}  // namespace bioptic
