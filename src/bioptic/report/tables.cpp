#include "bioptic/report/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bioptic/base/streamed_file.h"
#include "bioptic/data/csv.h"
#include "bioptic/model/loss.h"
#include "bioptic/report/gap_report.h"
#include "bioptic/report/report.h"
#include "bioptic/report/text.h"
#include "bioptic/report/variance_report.h"
#include "bioptic/study/seed_independence.h"

namespace bioptic {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

MetricSummary metric(const ArmSummary& arm, const char* key) {
  const auto it = arm.metrics.find(key);
  return it == arm.metrics.end() ? MetricSummary{kNan, kNan, kNan, kNan, 0} : it->second;
}

double reported(const ArmSummary& arm, const char* key) {
  const auto it = arm.reported.find(key);
  return it == arm.reported.end() ? kNan : it->second;
}

bool any_reported(const StudySummary& summary) {
  return std::any_of(summary.arms.begin(), summary.arms.end(),
                     [](const ArmSummary& arm) { return arm.reported.contains("test_accuracy"); });
}

template <typename Row>
void each_trial(const StudySummary& summary, const Row& row) {
  for (const ArmSummary& arm : summary.arms) {
    for (const TrialSummary& trial : arm.trials) row(arm, trial);
  }
}

// "95.0 ± 0.4" in the metric's unit.
std::string mean_sd(const MetricSummary& m, const ShownMetric& shown) {
  const double scale = shown.percent ? 100 : 1;
  const int digits = shown.percent ? 1 : 3;
  std::string text = fixed_text(scale * m.mean, digits);
  if (!std::isnan(m.sd)) text += " ± " + fixed_text(scale * m.sd, digits);
  return text;
}

// Whether the metric has an interval over seeds and patients: that of a split that is the same for
// all seeds, and of which predictions are kept.
bool of_new_patients(const ShownMetric& shown) {
  return std::string_view(shown.key).starts_with("test_");
}

std::string interval(const MetricSummary& m, double scale, int digits) {
  if (std::isnan(m.low)) return "-";
  return fmt::format("[{}, {}]", fixed_text(scale * m.low, digits),
                     fixed_text(scale * m.high, digits));
}

// Over seeds and patients.
std::string patients_interval(const MetricSummary& m, double scale, int digits) {
  if (std::isnan(m.patients_low)) return "-";
  return fmt::format("[{}, {}]", fixed_text(scale * m.patients_low, digits),
                     fixed_text(scale * m.patients_high, digits));
}

std::string padded_left(const std::string& text, std::size_t width) {
  const std::size_t own = display_width(text);
  return std::string(width > own ? width - own : 0, ' ') + text;
}

}  // namespace

std::vector<ShownMetric> shown_metrics(const StudySummary&) {
  return {{"test_accuracy", "test accuracy", true},      {"test_auroc", "test AUROC", false},
          {"val_accuracy", "validation accuracy", true}, {"val_loss", "validation loss", false},
          {"train_accuracy", "train accuracy", true},    {"train_loss", "train loss", false}};
}

std::string trials_csv(const StudySummary& summary) {
  std::string out =
      "arm,seed,seed_split,seed_init,seed_order,status,epochs,steps,train_loss,train_accuracy,"
      "val_loss,val_accuracy,test_loss,test_accuracy,wall_seconds\n";
  each_trial(summary, [&](const ArmSummary& arm, const TrialSummary& t) {
    const TrialResult& r = t.result;
    out +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_text(arm.name), t.seed,
                    t.seeds.split, t.seeds.init, t.seeds.order, name_of(r.status), r.history.size(),
                    r.steps, number_text(r.train_loss), number_text(r.train_accuracy),
                    number_text(r.val_loss), number_text(r.val_accuracy), number_text(r.test_loss),
                    number_text(r.test_accuracy), number_text(r.wall_seconds));
  });
  return out;
}

std::string history_csv(const StudySummary& summary) {
  bool train_eval = false;
  each_trial(summary, [&](const ArmSummary&, const TrialSummary& t) {
    for (const EpochRecord& e : t.result.history) train_eval = train_eval || e.train_eval_loss;
  });
  std::string out = "arm,seed,epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy";
  out += train_eval ? ",train_eval_loss,train_eval_accuracy\n" : "\n";
  each_trial(summary, [&](const ArmSummary& arm, const TrialSummary& t) {
    for (const EpochRecord& e : t.result.history) {
      out +=
          fmt::format("{},{},{},{},{},{},{},{},{}", csv_text(arm.name), t.seed, e.epoch, e.step,
                      number_text(e.lr), number_text(e.train_loss), number_text(e.train_accuracy),
                      number_text(e.val_loss), number_text(e.val_accuracy));
      if (train_eval) {
        out += "," + (e.train_eval_loss ? number_text(*e.train_eval_loss) : "") + "," +
               (e.train_eval_accuracy ? number_text(*e.train_eval_accuracy) : "");
      }
      out += '\n';
    }
  });
  return out;
}

float score_of(const ArmSummary& arm, int positive, const float* logits) {
  return positive_score(arm.loss, positive, logits);
}

float logit_of(const ArmSummary& arm, int positive, const float* logits) {
  if (arm.outputs == 2) return logits[positive] - logits[1 - positive];
  return positive == 1 ? logits[0] : -logits[0];
}

void write_predictions_csv(const StudySummary& summary, const std::filesystem::path& file) {
  StreamedFile csv(file);
  const std::vector<std::string>& classes = summary.dataset.classes;
  const bool many = classes.size() > 2;
  // What a reader would not assume: scores that speak for label 0, thresholds other than 0.5.
  const bool positive = summary.positive != 1;
  bool threshold = false;
  each_trial(summary, [&](const ArmSummary&, const TrialSummary& t) {
    threshold = threshold || t.result.threshold != 0.5;
  });
  std::string out = "arm,seed,split,image,group,label";
  if (many) {
    for (const std::string& c : classes) out += "," + csv_text("score_" + c);
    for (const std::string& c : classes) out += "," + csv_text("logit_" + c);
    out += '\n';
  } else {
    out += ",score,logit";
    if (positive) out += ",positive";
    if (threshold) out += ",threshold";
    out += '\n';
  }
  csv.write(out);
  std::vector<float> scores(classes.size());
  each_trial(summary, [&](const ArmSummary& arm, const TrialSummary& t) {
    const auto outputs = static_cast<std::size_t>(arm.outputs);
    const std::string head = csv_text(arm.name) + "," + std::to_string(t.seed) + ",";
    for (const SplitPredictions& p : t.result.predictions) {
      for (std::size_t i = 0; i < p.rows.size(); ++i) {
        const StudyImage image = summary.images[p.rows[i]];
        const float* logits = &p.logits[i * outputs];
        out = head + p.split + "," + csv_text(image.id) + "," + csv_text(image.group) + "," +
              std::to_string(image.label);
        if (many) {
          probabilities(arm.loss, std::span(logits, outputs), scores);
          for (const float s : scores) out += "," + number_text(s);
          for (std::size_t c = 0; c < outputs; ++c) out += "," + number_text(logits[c]);
        } else {
          out += "," + number_text(score_of(arm, summary.positive, logits)) + "," +
                 number_text(logit_of(arm, summary.positive, logits));
          if (positive) out += "," + std::to_string(summary.positive);
          if (threshold) out += "," + number_text(t.result.threshold);
        }
        out += '\n';
        csv.write(out);
      }
    }
  });
  csv.finish();
}

std::string arms_csv(const StudySummary& summary) {
  std::string out = "arm,differs,seeds,collapsed,failed,missing,threshold";
  for (const ShownMetric& m : shown_metrics(summary)) {
    out += fmt::format(",{0}_mean,{0}_sd,{0}_low,{0}_high", m.key);
    if (of_new_patients(m)) out += fmt::format(",{0}_patients_low,{0}_patients_high", m.key);
  }
  out += ",reported_test_accuracy\n";
  for (const ArmSummary& arm : summary.arms) {
    out += fmt::format("{},{},{},{},{},{},{}", csv_text(arm.name), csv_text(arm.differs),
                       arm.trials.size(), arm.collapsed, arm.failed, arm.missing,
                       csv_text(arm.threshold));
    for (const ShownMetric& m : shown_metrics(summary)) {
      const MetricSummary s = metric(arm, m.key);
      std::vector<double> numbers = {s.mean, s.sd, s.low, s.high};
      if (of_new_patients(m)) numbers.insert(numbers.end(), {s.patients_low, s.patients_high});
      for (const double v : numbers) out += "," + (std::isnan(v) ? "" : number_text(v));
    }
    const double r = reported(arm, "test_accuracy");
    out += "," + (std::isnan(r) ? "" : number_text(r)) + "\n";
  }
  return out;
}

std::string arms_markdown(const StudySummary& summary) {
  const bool with_report = any_reported(summary);
  std::string head = "| arm | test accuracy % | over seeds | over seeds and patients |",
              rule = "|---|---|---|---|";
  const std::vector<ShownMetric> metrics = shown_metrics(summary);
  for (std::size_t k = 1; k < metrics.size(); ++k) {
    head += fmt::format(" {}{} |", metrics[k].heading, metrics[k].percent ? " %" : "");
    rule += "---|";
  }
  head += " seeds | collapsed |";
  rule += "---|---|";
  if (with_report) {
    head += " reported % |";
    rule += "---|";
  }
  std::string out = head + "\n" + rule + "\n";
  for (const ArmSummary& arm : summary.arms) {
    const MetricSummary test = metric(arm, "test_accuracy");
    out +=
        fmt::format("| {} | {} | {} | {} |", markdown_escape(arm.name), mean_sd(test, metrics[0]),
                    interval(test, 100, 1), patients_interval(test, 100, 1));
    for (std::size_t k = 1; k < metrics.size(); ++k) {
      out += " " + mean_sd(metric(arm, metrics[k].key), metrics[k]) + " |";
    }
    out += fmt::format(" {} | {} |", arm.trials.size(), arm.collapsed);
    if (with_report) out += " " + percent_text(reported(arm, "test_accuracy"), 2) + " |";
    out += "\n";
  }
  out +=
      "\nMean ± standard deviation over seeds; 95 % intervals of the mean: over seeds, on these "
      "images (t), and over seeds and patients, on other patients too (crossed t). Training values "
      "are running means over the last epoch.\n";
  return out;
}

std::string arms_tex(const StudySummary& summary) {
  const bool with_report = any_reported(summary);
  std::string out = fmt::format(
      "% Mean and standard deviation over seeds; 95 % intervals of the mean: over seeds (t), over "
      "seeds and patients (crossed t).\n"
      "\\begin{{tabular}}{{l r l l r r r r{}}}\n\\hline\n"
      "arm & test acc.\\ \\% & over seeds & and patients & val.\\ acc.\\ \\% & train loss & "
      "seeds & collapsed{} \\\\\n\\hline\n",
      with_report ? " r" : "", with_report ? " & reported \\%" : "");
  const auto tex = [](std::string text) {
    const std::size_t at = text.find("±");
    if (at != std::string::npos) text.replace(at, std::string("±").size(), "$\\pm$");
    return text;
  };
  for (const ArmSummary& arm : summary.arms) {
    const MetricSummary test = metric(arm, "test_accuracy");
    out += fmt::format(
        "{} & {} & {} & {} & {} & {} & {} & {}", tex_escape(arm.name),
        tex(mean_sd(test, {"", "", true})), interval(test, 100, 1), patients_interval(test, 100, 1),
        tex(mean_sd(metric(arm, "val_accuracy"), {"", "", true})),
        tex(mean_sd(metric(arm, "train_loss"), {"", "", false})), arm.trials.size(), arm.collapsed);
    if (with_report) out += " & " + percent_text(reported(arm, "test_accuracy"), 2);
    out += " \\\\\n";
  }
  return out + "\\hline\n\\end{tabular}\n";
}

std::string arms_table_text(const StudySummary& summary) {
  const bool with_report = any_reported(summary);
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"arm", "test acc. %", "over seeds", "and patients", "val. acc. %", "train loss",
                  "seeds", "collapsed"});
  if (with_report) rows[0].push_back("reported %");
  for (const ArmSummary& arm : summary.arms) {
    const MetricSummary test = metric(arm, "test_accuracy");
    rows.push_back({shortened(arm.name, 24), mean_sd(test, {"", "", true}), interval(test, 100, 1),
                    patients_interval(test, 100, 1),
                    mean_sd(metric(arm, "val_accuracy"), {"", "", true}),
                    mean_sd(metric(arm, "train_loss"), {"", "", false}),
                    std::to_string(arm.trials.size()), std::to_string(arm.collapsed)});
    if (with_report) rows.back().push_back(percent_text(reported(arm, "test_accuracy"), 2));
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], display_width(row[c]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    out += row[0] + std::string(widths[0] - display_width(row[0]), ' ');
    for (std::size_t c = 1; c < row.size(); ++c) out += "  " + padded_left(row[c], widths[c]);
    out += '\n';
  }
  out +=
      "Mean ± sd over seeds. 95 % intervals of the mean: over seeds, on these images; over seeds "
      "and patients,\non other patients too.\n";
  if (const std::string note = dependent_seeds_note(summary); !note.empty()) {
    out += "note: " + note + "\n";
  }
  if (const std::string gap = gap_text(summary); !gap.empty()) out += "\n" + gap;
  if (const std::string chance = variance_text(summary); !chance.empty()) out += "\n" + chance;
  if (summary.unfinished) out += "UNFINISHED: some trials are missing; see the report's notes.\n";
  return out;
}

}  // namespace bioptic
