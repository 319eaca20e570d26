#include "bioptic/report/gap_report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/report/tables.h"
#include "bioptic/report/text.h"
#include "bioptic/study/gap_words.h"

namespace bioptic {
namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(); }
json number(const std::optional<double>& value) { return value ? number(*value) : json(); }
json number(const std::optional<std::size_t>& value) { return value ? json(*value) : json(); }

json estimate(const GapEstimate& e) {
  return {{"low", number(e.low)},
          {"high", number(e.high)},
          {"p", number(e.p)},
          {"reason", e.reason},
          {"equivalence_low", number(e.equivalence_low)},
          {"equivalence_high", number(e.equivalence_high)}};
}

json part(const GapPart& p) {
  return {{"value", number(p.value)}, {"E1", estimate(p.e1)}, {"E2", estimate(p.e2)}};
}

json accuracies(const GapAccuracies& a) {
  return {{"validation", number(a.validation)},
          {"holdout", number(a.holdout)},
          {"test_alone", number(a.test_alone)},
          {"test_shared", number(a.test_shared)}};
}

json counts(const SplitCount& c) {
  return {{"images", c.images}, {"groups", c.groups}, {"prevalence", number(c.prevalence)}};
}

json arm_json(const ArmGap& arm) {
  json leakage, control;
  if (arm.leakage) {
    leakage = part(*arm.leakage);
    leakage["against"] = arm.leakage_against;
  }
  if (!arm.control.empty()) {
    control = {{"arm", arm.control},
               {"answer", name_of(arm.control_answer)},
               {"accuracy", accuracies(arm.control_accuracy)},
               {"total", part(arm.control_total)},
               {"holdout_minus_test", part(arm.control_gap)},
               {"beyond_control", part(arm.beyond_control)}};
    control["accuracy"].erase("test_shared");
  }
  return {{"arm", arm.arm},
          {"seeds", arm.seeds},
          {"split_by", arm.val_by_group ? "group" : "image"},
          {"cause", name_of(arm.cause)},
          {"sentence", arm.sentence},
          {"accuracy", accuracies(arm.accuracy)},
          {"total", part(arm.total)},
          {"selection_and_leakage", part(arm.selection_and_leakage)},
          {"prevalence", part(arm.prevalence)},
          {"rest", part(arm.rest)},
          {"rest_sensitivity", part(arm.rest_sensitivity)},
          {"rest_specificity", part(arm.rest_specificity)},
          {"holdout_minus_test", part(arm.holdout_minus_test)},
          {"shared_minus_alone", part(arm.shared_minus_alone)},
          {"validation_shared", number(arm.validation_shared)},
          {"leakage", leakage},
          {"shift",
           {{"seen", arm.shift_seen},
            {"ks", number(arm.ks.statistic)},
            {"ks_p", number(arm.ks.p)},
            {"ks_p_holm", number(arm.ks_p_holm)},
            {"classifier_p_holm", number(arm.classifier_p_holm)},
            {"mmd_p_holm", number(arm.mmd_p_holm)}}},
          {"part_seen", arm.part_seen},
          {"leakage_seen", arm.leakage_seen},
          {"control", control}};
}

std::string p_text(const std::optional<double>& p) { return p ? fmt::format("{:.3f}", *p) : "-"; }
std::string p_text(double p) { return std::isnan(p) ? "-" : fmt::format("{:.3f}", p); }

std::string cell(const GapEstimate& e) {
  return std::isnan(e.low) ? "-" : signed_points(e.low) + " to " + signed_points(e.high);
}

std::string part_row(const std::string& name, const GapPart& p) {
  return fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", name,
                     std::isnan(p.value) ? "-" : signed_points(p.value), cell(p.e1), cell(p.e2));
}

std::string counts_row(const char* name, const SplitCount& c) {
  return fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", name, c.images,
                     c.groups, percent_text(c.prevalence));
}

std::string accuracy_cells(const GapAccuracies& a) {
  return fmt::format("<td>{}</td><td>{}</td><td>{}</td><td>{}</td>", percent_text(a.validation),
                     percent_text(a.holdout), percent_text(a.test_alone),
                     percent_text(a.test_shared));
}

std::string accuracy_table(const GapSummary& gap) {
  std::string out =
      "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>accuracy %, mean over seeds</th>"
      "<th>validation</th><th>hold-out</th><th>test, own groups</th><th>test, shared "
      "groups</th></tr></thead><tbody>\n";
  std::string controls;
  for (const ArmGap& arm : gap.arms) {
    out += "<tr><td>" + html_escape(arm.arm) + "</td>" + accuracy_cells(arm.accuracy) + "</tr>\n";
    const std::string row = "<tr><td>" + html_escape(arm.control) + " (other splits)</td>" +
                            accuracy_cells(arm.control_accuracy) + "</tr>\n";
    if (!arm.control.empty() && controls.find(row) == std::string::npos) controls += row;
  }
  return out + controls + "</tbody></table></div>\n";
}

std::string parts_table(const ArmGap& arm) {
  std::string out = fmt::format(
      "<p><strong>{}</strong>, in percentage points:</p><div class=\"scroll\" "
      "tabindex=\"0\"><table>"
      "<thead><tr><th>part</th><th>mean</th><th>95 % interval, other seeds</th><th>95 % interval, "
      "other patients too</th></tr></thead><tbody>\n",
      html_escape(arm.arm));
  out += part_row("validation - test (the gap)", arm.total);
  out += part_row("= selection and leakage: validation - hold-out", arm.selection_and_leakage);
  out += part_row("+ prevalence: other shares of the classes", arm.prevalence);
  out += part_row("+ rest: other sensitivity and specificity", arm.rest);
  out += part_row("of the rest, sensitivity", arm.rest_sensitivity);
  out += part_row("of the rest, specificity", arm.rest_specificity);
  out += part_row("hold-out - test (prevalence + rest)", arm.holdout_minus_test);
  if (arm.leakage && !arm.leakage_against.empty()) {
    out += part_row("leakage, against arm " + html_escape(arm.leakage_against), *arm.leakage);
  }
  if (!std::isnan(arm.shared_minus_alone.value)) {
    out += part_row("test images of shared groups - those of own groups", arm.shared_minus_alone);
  }
  if (!arm.control.empty()) {
    out += part_row("control: validation - test", arm.control_total);
    out += part_row("control: hold-out - test", arm.control_gap);
    out += part_row("hold-out - test, beyond the control's gap", arm.beyond_control);
  }
  return out + "</tbody></table></div>\n";
}

std::string tests_table(const GapSummary& gap) {
  std::string out =
      "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>hold-out against test</th>"
      "<th>statistic</th><th>p</th><th>corrected p</th></tr></thead><tbody>\n";
  const auto row = [&](const std::string& name, const std::optional<double>& statistic,
                       const std::string& p, const std::string& corrected) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", name,
                       statistic ? fixed_text(*statistic, 3) : "-", p, corrected);
  };
  for (const ArmGap& arm : gap.arms) {
    row("scores of " + html_escape(arm.arm) + ": Kolmogorov-Smirnov distance", arm.ks.statistic,
        p_text(arm.ks.p), p_text(arm.ks_p_holm));
  }
  const bool one = gap.arms.size() == 1;
  row("images: classifier's balanced accuracy", gap.classifier.balanced_accuracy,
      p_text(gap.classifier.balanced_accuracy_p), one ? p_text(gap.arms[0].classifier_p_holm) : "");
  row("images: classifier's AUC", gap.classifier.auc, p_text(gap.classifier.auc_p), "");
  row("images: squared mean discrepancy", gap.mmd.statistic, p_text(gap.mmd.p),
      one ? p_text(gap.arms[0].mmd_p_holm) : "");
  return out + "</tbody></table></div>\n";
}

std::string duplicates_text(const GapSummary& gap) {
  if (!gap.duplicate_test) return "";
  return fmt::format(
      "Exact duplicates: {} and {} have the very same pixels as an image of another split; {} of "
      "the source {} of another one there.",
      counted(*gap.duplicate_test, "test image"), counted(*gap.duplicate_holdout, "hold-out image"),
      counted(*gap.duplicate_source, "image"),
      *gap.duplicate_source == 1 ? "is a copy" : "are copies");
}

}  // namespace

json gap_json(const GapSummary& gap) {
  json arms = json::array();
  for (const ArmGap& arm : gap.arms) arms.push_back(arm_json(arm));
  return {{"holdout", counts(gap.holdout)},
          {"test_alone", counts(gap.test_alone)},
          {"test_shared", counts(gap.test_shared)},
          {"classifier",
           {{"balanced_accuracy", number(gap.classifier.balanced_accuracy)},
            {"balanced_accuracy_p", number(gap.classifier.balanced_accuracy_p)},
            {"auc", number(gap.classifier.auc)},
            {"auc_p", number(gap.classifier.auc_p)}}},
          {"mmd", {{"statistic", number(gap.mmd.statistic)}, {"p", number(gap.mmd.p)}}},
          {"images_used", {{"holdout", gap.holdout_used}, {"test", gap.test_used}}},
          {"duplicates",
           {{"test", number(gap.duplicate_test)},
            {"holdout", number(gap.duplicate_holdout)},
            {"source", number(gap.duplicate_source)}}},
          {"arms", arms},
          {"notes", gap.notes}};
}

std::string gap_text(const StudySummary& summary) {
  if (!summary.gap) return "";
  std::string out = "The gap from validation to test\n";
  for (const ArmGap& arm : summary.gap->arms) out += "  " + arm.arm + ": " + arm.sentence + "\n";
  for (const std::string& note : summary.gap->notes) out += "  " + note + "\n";
  return out;
}

std::string gap_html(const StudySummary& summary) {
  if (!summary.gap) return "";
  const GapSummary& gap = *summary.gap;
  std::string out = "<h2 id=\"gap\">The gap from validation to test</h2>\n";
  for (const ArmGap& arm : gap.arms) {
    out +=
        "<p><strong>" + html_escape(arm.arm) + ".</strong> " + html_escape(arm.sentence) + "</p>\n";
  }
  for (const std::string& note : gap.notes) {
    out += "<p class=\"note\">" + html_escape(note) + "</p>\n";
  }
  if (!gap.arms.empty()) {
    out +=
        "<p>The hold-out is drawn by group from the source and is never trained or validated on, "
        "so "
        "what differs between it and test is not leakage. \"Because of shift\" is said only when "
        "the tests, the decomposition (hold-out above test, on other patients too) and the control "
        "arm say so together.</p>\n";
    out += accuracy_table(gap) + tests_table(gap);
    out += fmt::format(
        "<p>All p by permuting whole groups; corrected by Holm over the three tests of an arm (the "
        "classifier's balanced accuracy is its test). The tests on images saw {} hold-out and {} "
        "test images. {}</p>\n",
        gap.holdout_used, gap.test_used, duplicates_text(gap));
    for (const ArmGap& arm : gap.arms) out += parts_table(arm);
  }
  out +=
      "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>images "
      "of</th><th>images</th><th>groups</th><th>positive "
      "%</th></tr></thead><tbody>\n" +
      counts_row("hold-out", gap.holdout) +
      counts_row("test, groups in no other split", gap.test_alone) +
      counts_row("test, groups that are in another split, too", gap.test_shared) +
      "</tbody></table></div>\n";
  return out;
}

StudySummary controls_alone(const StudySummary& summary) {
  StudySummary controls;
  controls.dataset = summary.dataset;
  controls.positive = summary.positive;
  controls.images = summary.images;
  controls.arms = summary.controls;
  return controls;
}

}  // namespace bioptic
