#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "bioptic/model/loss.h"
#include "bioptic/report/figures.h"
#include "bioptic/report/sheet.h"
#include "bioptic/report/tables.h"
#include "bioptic/report/text.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// Rows: classes within splits; columns: the mean image and examples spread evenly over the rows.
Figure montage(const StudySummary& summary, const Dataset& dataset, const fs::path& scratch) {
  constexpr std::size_t kExamples = 4, kMostClasses = 8;
  const std::size_t classes = summary.dataset.classes.size();
  std::map<std::pair<std::string, std::int64_t>, std::vector<std::uint32_t>> members;
  for (std::uint32_t i = 0; i < summary.images.size(); ++i) {
    const StudyImage image = summary.images[i];
    members[{std::string(image.split), image.label}].push_back(i);
  }
  std::vector<std::pair<std::string, std::int64_t>> order;
  for (const char* split : {"train", "val", "holdout", "test"}) {
    for (std::size_t c = 0; c < std::min(classes, kMostClasses); ++c) {
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
  f.caption = fmt::format(
      "Example images of {} and every split, with the mean image (left) of up to 500; validation "
      "as seed 0 draws it.",
      classes > kMostClasses ? fmt::format("the first {} of {} classes", kMostClasses, classes)
                             : std::string("every class"));
  std::string labels;
  for (std::size_t r = 0; r < order.size(); ++r) {
    const std::vector<std::uint32_t>& rows = members[order[r]];
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

// One test image that the trials, taken together, call wrongly.
struct Wrong {
  double by = 0;  // how far on the wrong side: what the figure sorts by
  std::uint32_t row = 0;
  std::string said;
};

// Probabilities of every class for test images.
struct MeanProbabilities {
  std::vector<std::uint32_t> rows;  // of the dataset, ascending
  std::vector<double> values;       // rows x classes
};

// Every test image that some finished trial predicted, ascending.
std::vector<std::uint32_t> predicted_test_rows(const StudySummary& summary) {
  std::vector<std::uint32_t> rows;
  for (const ArmSummary& arm : summary.arms) {
    for (const TrialSummary& t : arm.trials) {
      if (t.result.status != TrialStatus::done) continue;
      for (const SplitPredictions& split : t.result.predictions) {
        if (split.split != "test" || split.rows == rows) continue;
        rows.insert(rows.end(), split.rows.begin(), split.rows.end());
        std::sort(rows.begin(), rows.end());
        rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
      }
    }
  }
  return rows;
}

// Means over all finished trials of all arms.
MeanProbabilities mean_probabilities(const StudySummary& summary) {
  const std::size_t classes = summary.dataset.classes.size();
  MeanProbabilities means;
  means.rows = predicted_test_rows(summary);
  means.values.resize(means.rows.size() * classes);
  std::vector<double> count(means.rows.size());
  std::vector<float> p(classes);
  for (const ArmSummary& arm : summary.arms) {
    const auto outputs = static_cast<std::size_t>(arm.outputs);
    for (const TrialSummary& t : arm.trials) {
      if (t.result.status != TrialStatus::done) continue;
      for (const SplitPredictions& split : t.result.predictions) {
        if (split.split != "test") continue;
        for (std::size_t i = 0; i < split.rows.size(); ++i) {
          const float* logits = &split.logits[i * outputs];
          if (classes == 2) {
            const auto positive = static_cast<std::size_t>(summary.positive);
            p[positive] = score_of(arm, summary.positive, logits);
            p[1 - positive] = 1 - p[positive];
          } else {
            probabilities(arm.loss, std::span(logits, outputs), p);
          }
          const auto at = static_cast<std::size_t>(
              std::lower_bound(means.rows.begin(), means.rows.end(), split.rows[i]) -
              means.rows.begin());
          for (std::size_t c = 0; c < classes; ++c) {
            means.values[at * classes + c] += static_cast<double>(p[c]);
          }
          count[at] += 1;
        }
      }
    }
  }
  for (std::size_t i = 0; i < means.values.size(); ++i) means.values[i] /= count[i / classes];
  return means;
}

std::vector<Wrong> wrong_images(const StudySummary& summary) {
  const std::vector<std::string>& classes = summary.dataset.classes;
  std::vector<Wrong> wrong;
  const MeanProbabilities means = mean_probabilities(summary);
  for (std::size_t i = 0; i < means.rows.size(); ++i) {
    const std::uint32_t row = means.rows[i];
    const std::span p = std::span(means.values).subspan(i * classes.size(), classes.size());
    const auto label = static_cast<std::size_t>(summary.images[row].label);
    if (classes.size() == 2) {
      if (p[label] >= 0.5) continue;
      wrong.push_back({0.5 - p[label], row,
                       fmt::format("{}  {:.2f}\n{}", summary.images[row].id,
                                   p[static_cast<std::size_t>(summary.positive)],
                                   shortened(classes[label], 14))});
      continue;
    }
    const auto called = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    if (called == label) continue;
    wrong.push_back({p[called] - p[label], row,
                     fmt::format("{}  {:.2f}\n{} as {}", summary.images[row].id, p[called],
                                 shortened(classes[label], 8), shortened(classes[called], 8))});
  }
  std::stable_sort(wrong.begin(), wrong.end(),
                   [](const Wrong& a, const Wrong& b) { return a.by > b.by; });
  return wrong;
}

// The test images that are furthest on the wrong side: two classes, of 0.5; more, of the wrong
// class that is called rather than theirs.
Figure most_wrong(const StudySummary& summary, const Dataset& dataset, const fs::path& scratch) {
  constexpr std::size_t kColumns = 4, kRows = 2;
  std::vector<Wrong> wrong = wrong_images(summary);
  wrong.resize(std::min(wrong.size(), kColumns * kRows));
  Figure f;
  if (wrong.empty()) return f;
  f.name = "most-wrong";
  const std::size_t rows = (wrong.size() + kColumns - 1) / kColumns;
  // Each thumbnail has its words below it: the sheet leaves every second half-row free.
  const double thumb_mm = 85.0 / kColumns, words_mm = 8;
  f.height_mm = static_cast<double>(rows) * (thumb_mm + words_mm) + 1;
  f.caption = fmt::format(
      "The most confidently wrong test images: id, {} over all finished trials of all arms. Ids "
      "are "
      "those of index.csv and predictions.csv.",
      summary.dataset.classes.size() == 2
          ? "true class and mean score of " +
                summary.dataset.classes[static_cast<std::size_t>(summary.positive)]
          : std::string("the class that it is and the one that it is called, with the mean "
                        "probability of the latter"));
  f.body = "unset border\nunset tics\nunset grid\nunset key\n";
  f.body += "set multiplot\nset lmargin at screen 0\nset rmargin at screen 1\n";
  f.body += fmt::format("set xrange [0:{}]\nset yrange [1:0]\n", kColumns);
  for (std::size_t r = 0; r < rows; ++r) {
    Sheet sheet(kColumns, 1);
    f.body += "unset label\n";
    for (std::size_t c = 0; c < kColumns && r * kColumns + c < wrong.size(); ++c) {
      const Wrong& one = wrong[r * kColumns + c];
      sheet.put_image(c, 0, dataset, one.row);
      f.body += fmt::format("set label {} at {},1.13 center\n", gnuplot_quote(one.said),
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
  Figure wrong = most_wrong(summary, dataset, scratch);
  if (!wrong.name.empty()) figures.push_back(std::move(wrong));
  return figures;
}

}  // namespace bioptic
