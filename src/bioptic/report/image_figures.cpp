#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "bioptic/report/figures.h"
#include "bioptic/report/sheet.h"
#include "bioptic/report/tables.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// Rows: classes within splits; columns: the mean image and examples spread evenly over the rows.
Figure montage(const StudySummary& summary, const Dataset& dataset, const fs::path& scratch) {
  constexpr std::size_t kExamples = 4;
  std::map<std::pair<std::string, std::int64_t>, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < summary.images.size(); ++i) {
    const StudySummary::Image& image = summary.images[i];
    members[{image.split, image.label}].push_back(i);
  }
  std::vector<std::pair<std::string, std::int64_t>> order;
  for (const char* split : {"train", "val", "holdout", "test"}) {
    for (std::size_t c = 0; c < std::min<std::size_t>(summary.dataset.classes.size(), 8); ++c) {
      if (members.contains({split, static_cast<std::int64_t>(c)})) {
        order.emplace_back(split, static_cast<std::int64_t>(c));
      }
    }
  }
  Sheet sheet(kExamples + 1, order.size());
  const std::size_t n = dataset.pixels_per_image();
  const auto h = static_cast<std::size_t>(dataset.info().height),
             w = static_cast<std::size_t>(dataset.info().width);
  Figure f;
  f.name = "montage";
  const double left_mm = 24, thumb_mm = (85 - left_mm) / (kExamples + 1);
  f.height_mm = 6 + thumb_mm * static_cast<double>(order.size());
  f.caption =
      "Example images of every class and split, with the mean image (left) of up to 500; "
      "validation as seed 0 draws it.";
  std::string labels;
  for (std::size_t r = 0; r < order.size(); ++r) {
    const std::vector<std::size_t>& rows = members[order[r]];
    std::vector<double> sum(n);
    const std::size_t used = std::min<std::size_t>(rows.size(), 500);
    for (std::size_t k = 0; k < used; ++k) {
      const auto pixels = dataset.image8(rows[k * rows.size() / used]);
      for (std::size_t p = 0; p < n; ++p) sum[p] += pixels[p];
    }
    const bool colour = dataset.info().channels == 3;
    sheet.put(0, r, h, w, [&](std::size_t c, std::size_t y, std::size_t x) {
      return static_cast<std::uint8_t>(sum[((colour ? c : 0) * h + y) * w + x] /
                                       static_cast<double>(used));
    });
    for (std::size_t k = 0; k < std::min(kExamples, rows.size()); ++k) {
      sheet.put_image(k + 1, r, dataset, rows[(2 * k + 1) * rows.size() / (2 * kExamples)]);
    }
    const std::string name = summary.dataset.classes[static_cast<std::size_t>(order[r].second)];
    labels += fmt::format("set label {} at -0.12,{} right\n",
                          gnuplot_quote(order[r].first + "\n" + shortened(name, 13)),
                          static_cast<double>(r) + 0.4);
  }
  f.body =
      labels + "set label 'mean' at 0.5,-0.15 center\nset label 'examples' at 3,-0.15 center\n";
  f.body += fmt::format(
      "unset border\nunset tics\nunset grid\nunset key\nset lmargin at screen {:.4f}\n"
      "set rmargin at screen 0.995\nset tmargin at screen {:.4f}\nset bmargin at screen 0.005\n"
      "set xrange [0:{}]\nset yrange [{}:0]\nplot {}",
      left_mm / 85, 1 - 5 / f.height_mm, kExamples + 1, order.size(),
      sheet.plot(scratch, "montage.rgb"));
  return f;
}

// Mean score over all finished trials of all arms (two classes): the test images that are furthest
// on the wrong side of 0.5.
Figure most_wrong(const StudySummary& summary, const Dataset& dataset, const fs::path& scratch) {
  constexpr std::size_t kColumns = 4, kRows = 2;
  std::map<std::uint32_t, std::pair<double, double>> scores;  // row -> sum, count
  for (const ArmSummary& arm : summary.arms) {
    for (const TrialSummary& t : arm.trials) {
      if (t.result.status != TrialStatus::done) continue;
      for (const SplitPredictions& p : t.result.predictions) {
        if (p.split != "test") continue;
        for (std::size_t i = 0; i < p.rows.size(); ++i) {
          const double s = static_cast<double>(score_of(
              arm, summary.positive, &p.logits[i * static_cast<std::size_t>(arm.outputs)]));
          auto& entry = scores[p.rows[i]];
          entry.first += s;
          entry.second += 1;
        }
      }
    }
  }
  struct Wrong {
    double by;
    std::uint32_t row;
    double score;
  };
  std::vector<Wrong> wrong;
  for (const auto& [row, entry] : scores) {
    const double score = entry.first / entry.second;
    const bool positive = summary.images[row].label == summary.positive;
    const double by = positive ? 0.5 - score : score - 0.5;
    if (by > 0) wrong.push_back({by, row, score});
  }
  std::stable_sort(wrong.begin(), wrong.end(),
                   [](const Wrong& a, const Wrong& b) { return a.by > b.by; });
  wrong.resize(std::min(wrong.size(), kColumns * kRows));
  Figure f;
  if (wrong.empty()) return f;
  f.name = "most-wrong";
  const std::size_t rows = (wrong.size() + kColumns - 1) / kColumns;
  // Each thumbnail has its words below it: the sheet leaves every second half-row free.
  const double thumb_mm = 85.0 / kColumns, words_mm = 8;
  f.height_mm = static_cast<double>(rows) * (thumb_mm + words_mm) + 1;
  f.caption = fmt::format(
      "The most confidently wrong test images: id, true class and mean score of "
      "{} over all finished trials of all arms. Ids are those of index.csv and "
      "predictions.csv.",
      summary.dataset.classes[static_cast<std::size_t>(summary.positive)]);
  f.body = "unset border\nunset tics\nunset grid\nunset key\n";
  f.body += "set multiplot\nset lmargin at screen 0\nset rmargin at screen 1\n";
  f.body += fmt::format("set xrange [0:{}]\nset yrange [1:0]\n", kColumns);
  for (std::size_t r = 0; r < rows; ++r) {
    Sheet sheet(kColumns, 1);
    f.body += "unset label\n";
    for (std::size_t c = 0; c < kColumns && r * kColumns + c < wrong.size(); ++c) {
      const Wrong& one = wrong[r * kColumns + c];
      sheet.put_image(c, 0, dataset, one.row);
      const StudySummary::Image& image = summary.images[one.row];
      f.body += fmt::format(
          "set label {} at {},1.13 center\n",
          gnuplot_quote(fmt::format(
              "{}  {:.2f}\n{}", image.id, one.score,
              shortened(summary.dataset.classes[static_cast<std::size_t>(image.label)], 14))),
          static_cast<double>(c) + 0.5);
    }
    const double top = 1 - static_cast<double>(r) * (thumb_mm + words_mm) / f.height_mm;
    f.body += fmt::format("set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\nplot {}\n",
                          top, top - thumb_mm / f.height_mm,
                          sheet.plot(scratch, fmt::format("wrong{}.rgb", r)));
  }
  return f;
}

}  // namespace

std::vector<Figure> image_figures(const StudySummary& summary, const Dataset& dataset,
                                  const fs::path& scratch) {
  std::vector<Figure> figures = {montage(summary, dataset, scratch)};
  if (std::optional<Figure> augmented = augmented_figure(summary, dataset, scratch)) {
    figures.push_back(std::move(*augmented));
  }
  if (summary.dataset.classes.size() == 2) {
    Figure wrong = most_wrong(summary, dataset, scratch);
    if (!wrong.name.empty()) figures.push_back(std::move(wrong));
  }
  return figures;
}

}  // namespace bioptic
