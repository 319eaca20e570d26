#include "bioptic/report/report.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "bioptic/base/files.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/report/claims_report.h"
#include "bioptic/report/comparisons.h"
#include "bioptic/report/figures.h"
#include "bioptic/report/gap_report.h"
#include "bioptic/report/html.h"
#include "bioptic/report/metrics_table.h"
#include "bioptic/report/overview.h"
#include "bioptic/report/tables.h"
#include "bioptic/report/variance_report.h"

namespace bioptic {
namespace fs = std::filesystem;

ReportOutcome write_report(const StudySummary& summary, const Dataset* dataset,
                           const fs::path& folder) {
  ReportOutcome outcome;
  outcome.html = folder / "report.html";
  write_file(folder / "summary.json", summary_json(summary));
  write_file(folder / "overview.json", overview_json(overview_of(summary)));
  const fs::path tables = folder / "tables";
  write_file(tables / "trials.csv", trials_csv(summary));
  write_file(tables / "history.csv", history_csv(summary));
  write_predictions_csv(summary, tables / "predictions.csv");
  write_file(tables / "metrics.csv", metrics_csv(summary));
  write_file(tables / "arms.csv", arms_csv(summary));
  write_file(tables / "arms.md", arms_markdown(summary));
  write_file(tables / "arms.tex", arms_tex(summary));
  write_file(tables / "indices.csv", indices_csv(summary));

  const TemporaryFolder temporary(folder / "figures");
  const fs::path& scratch = temporary.path();
  if (!summary.controls.empty()) {
    const StudySummary controls = controls_alone(summary);
    write_file(tables / "control-trials.csv", trials_csv(controls));
    write_predictions_csv(controls, tables / "control-predictions.csv");
  }
  std::vector<Figure> figures = test_figures(summary);
  if (std::optional<Figure> forest = forest_figure(summary.comparisons)) {
    figures.insert(figures.begin(), std::move(*forest));
  }
  for (Figure& figure : steadiness_figures(summary)) figures.push_back(std::move(figure));
  for (Figure& figure : score_figures(summary)) figures.push_back(std::move(figure));
  if (std::optional<Figure> roc = class_roc_figure(summary)) figures.push_back(std::move(*roc));
  for (Figure& figure : gap_figures(summary)) figures.push_back(std::move(figure));
  for (Figure& figure : variance_figures(summary)) figures.push_back(std::move(figure));
  for (Figure& figure : curve_figures(summary)) figures.push_back(std::move(figure));
  if (dataset != nullptr) {
    for (Figure& figure : gap_image_figures(summary, *dataset, scratch)) {
      figures.push_back(std::move(figure));
    }
    for (Figure& figure : image_figures(summary, *dataset, scratch)) {
      figures.push_back(std::move(figure));
    }
  } else {
    outcome.notes.emplace_back(
        "The images are not at hand, so the montage and the most wrong images are left out.");
  }
  const std::string complaint = draw_figures(figures, scratch, folder / "figures");
  if (!complaint.empty()) outcome.notes.push_back(complaint);
  write_file(outcome.html, report_html(summary, figures, folder / "figures", outcome.notes));
  return outcome;
}

}  // namespace bioptic
