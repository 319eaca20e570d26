#include "bioptic/report/metrics_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "bioptic/base/counted.h"
#include "bioptic/data/csv.h"
#include "bioptic/report/cautions.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace {

// "" for NaN: an empty field.
std::string field(double value) { return std::isnan(value) ? "" : number_text(value); }

struct Key {
  std::string split, metric;
};
Key parts(const std::string& key) {
  const std::size_t at = key.starts_with("train_eval_") ? 10 : key.find('_');
  return {key.substr(0, at), key.substr(at + 1)};
}

std::string between(double low, double high) {
  if (std::isnan(low)) return "-";
  return fixed_text(low, 3) + " to " + fixed_text(high, 3);
}

std::string value_cell(const MetricSummary& m, std::size_t trials) {
  std::string text = fixed_text(m.mean, 3);
  if (!std::isnan(m.sd)) text += " ± " + fixed_text(m.sd, 3);
  if (static_cast<std::size_t>(m.seeds) < trials) {
    text += fmt::format(" <strong>({} of {})</strong>", m.seeds, counted(trials, "seed"));
  }
  return text;
}

std::string metric_row(const std::string& heading, const std::string& value,
                       const std::string& seeds, const std::string& patients) {
  return "<tr><td>" + heading + "</td><td>" + value + "</td><td>" + seeds + "</td><td>" + patients +
         "</td></tr>\n";
}

// That over groups where groups are shared.
const PatientInterval* own_interval(const TrialSummary& trial, const std::string& key) {
  for (const auto* intervals : {&trial.group_intervals, &trial.intervals}) {
    if (const auto it = intervals->find(key); it != intervals->end()) return &it->second;
  }
  return nullptr;
}

// One seed: the trained model's own interval stands where seeds and patients would.
std::string rows_of(const ArmSummary& arm, const std::string& key, const std::string& heading) {
  const auto it = arm.metrics.find(key);
  if (it == arm.metrics.end()) return metric_row(heading, "undefined", "-", "-");
  const MetricSummary& m = it->second;
  std::string patients = between(m.patients_low, m.patients_high);
  if (arm.trials.size() == 1) {
    const PatientInterval* own = own_interval(arm.trials.front(), key);
    if (own != nullptr) patients = between(own->low, own->high);
  }
  return metric_row(heading, value_cell(m, arm.trials.size()), between(m.low, m.high), patients);
}

std::string confusion_rows(const ArmSummary& arm, const std::vector<std::string>& classes) {
  const auto it = arm.confusion.find("test");
  if (it == arm.confusion.end()) return "";
  std::string out = "<table class=\"metrics\"><thead><tr><th>true \\ predicted</th>";
  for (const std::string& name : classes) out += "<th>" + html_escape(name) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (std::size_t r = 0; r < classes.size(); ++r) {
    out += "<tr><td>" + html_escape(classes[r]) + "</td>";
    for (std::size_t c = 0; c < classes.size(); ++c) {
      out += "<td>" + fixed_text(it->second[r * classes.size() + c], 1) + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string arm_table(const StudySummary& summary, const ArmSummary& arm) {
  const bool one = arm.trials.size() == 1;
  std::string out =
      "<table class=\"metrics\"><thead><tr><th>test split</th><th>mean ± sd</th><th>" +
      std::string("over seeds</th><th>") +
      (one ? "over patients, this model" : "over seeds and patients") +
      "</th></tr></thead><tbody>\n";
  const std::vector<std::string>& classes = summary.dataset.classes;
  for (const MetricHeading& h : metric_headings()) {
    const std::string name = h.name;
    if (classes.size() > 2 && name != "accuracy" && name != "auroc" &&
        name != "balanced_accuracy") {
      continue;
    }
    out += rows_of(arm, "test_" + name, h.heading);
  }
  for (const std::string& name : classes) {
    if (classes.size() <= 2) break;
    out += rows_of(arm, "test_auroc_" + name, "AUROC, " + html_escape(name) + " against the rest");
  }
  return out + "</tbody></table>\n" + confusion_rows(arm, classes);
}

std::string words(const StudySummary& summary) {
  std::string out =
      "<p>Two intervals, both of 95 %. <strong>Over seeds</strong> asks: if the training were "
      "repeated with other seeds and judged on <em>these same</em> test images, where would the "
      "mean lie? (t interval.) <strong>Over seeds and patients</strong> asks: and on "
      "<em>other patients</em> from the test distribution, too? (Crossed t for the accuracy, the "
      "reader-study variance with a jackknife over groups for the others.) The second is the one "
      "to "
      "quote about new patients. With one seed only the trained model itself can be judged: its "
      "interval is over patients alone, and says nothing about another training. Neither interval "
      "speaks of another training pool.</p>\n";
  if (const std::string majority = majority_said(summary); !majority.empty()) {
    out += "<p>" + html_escape(majority) + "</p>\n";
  }
  if (summary.dataset.classes.size() > 2) {
    return out +
           "<p>AUROC is that of each class against the rest, averaged with equal weight; balanced "
           "accuracy is the mean recall of the classes.</p>\n";
  }
  out += "<ul class=\"small\">\n";
  for (const MetricHeading& h : metric_headings()) {
    if (*h.note != '\0') out += fmt::format("<li>{}: {}.</li>\n", h.heading, h.note);
  }
  return out + "</ul>\n";
}

}  // namespace

const std::vector<MetricHeading>& metric_headings() {
  static const std::vector<MetricHeading> kHeadings = {
      {"accuracy", "accuracy", ""},
      {"auroc", "AUROC", "ranks are those of the logits, ties count one half"},
      {"average_precision", "average precision",
       "area under the precision-recall steps; chance is the share of the positive class"},
      {"sensitivity", "sensitivity", ""},
      {"specificity", "specificity", ""},
      {"balanced_accuracy", "balanced accuracy", ""},
      {"mcc", "Matthews correlation", "undefined, not 0, for a model that predicts one class only"},
      {"f1", "F1 (secondary)", "of the positive class; it ignores true negatives"},
      {"brier", "Brier score", "mean of (probability - label)², 0 is best, 0.25 is a constant 0.5"},
      {"log_loss", "log loss", "in nats; 0.693 is a constant 0.5"},
      {"calibration_slope", "calibration slope", "1 is best, below 1 is overconfident"},
      {"calibration_intercept", "calibration intercept",
       "with the slope held at 1; 0 is best, below 0 the probabilities are too high"},
      {"expected_calibration_error", "expected calibration error",
       "of the positive class's probability in 10 bins of equal width; it depends on the bins"},
      {"net_benefit", "net benefit",
       "at a threshold probability of 0.5, in true positives per image, at this split's share of "
       "the positive class"},
  };
  return kHeadings;
}

std::string metrics_csv(const StudySummary& summary) {
  std::string out = "arm,seed,split,metric,value,sd,seeds,low,high,interval_over,method\n";
  for (const ArmSummary& arm : summary.arms) {
    const std::string name = csv_text(arm.name);
    for (const auto& [key, m] : arm.metrics) {
      const auto [split, metric] = parts(key);
      const std::string head = fmt::format("{},,{},{},{},{},{}", name, split, csv_text(metric),
                                           field(m.mean), field(m.sd), m.seeds);
      out += fmt::format("{},{},{},seeds,t\n", head, field(m.low), field(m.high));
      if (std::isnan(m.patients_low)) continue;
      out += fmt::format("{},{},{},seeds and patients,{}\n", head, field(m.patients_low),
                         field(m.patients_high),
                         metric == "accuracy" ? "crossed t" : csv_text("reader study, jackknife"));
    }
    for (const TrialSummary& trial : arm.trials) {
      for (const auto& [key, value] : trial.metrics) {
        const auto [split, metric] = parts(key);
        const std::string head = fmt::format("{},{},{},{},{},,1", name, trial.seed, split,
                                             csv_text(metric), field(value));
        bool any = false;
        for (const auto* intervals : {&trial.intervals, &trial.group_intervals}) {
          const auto it = intervals->find(key);
          if (it == intervals->end()) continue;
          out += fmt::format("{},{},{},patients,{}\n", head, field(it->second.low),
                             field(it->second.high), csv_text(it->second.method));
          any = true;
        }
        if (!any) out += head + ",,,,\n";
      }
    }
  }
  return out;
}

std::string metrics_html(const StudySummary& summary) {
  std::string out = "<h2>All metrics</h2>\n" + words(summary);
  bool first = true;
  for (const ArmSummary& arm : summary.arms) {
    if (arm.trials.empty()) continue;
    out += fmt::format("<details{}><summary>{}: {}{}</summary>\n", first ? " open" : "",
                       html_escape(arm.name), counted(arm.trials.size(), "seed"),
                       arm.collapsed > 0 ? fmt::format(", {} collapsed", arm.collapsed) : "");
    out += arm_table(summary, arm) + "</details>\n";
    first = false;
  }
  return out +
         "<p>The same for every split and every seed, with each trained model's own interval over "
         "patients: <code>tables/metrics.csv</code>.</p>\n";
}

}  // namespace bioptic
