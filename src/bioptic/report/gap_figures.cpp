#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "bioptic/base/files.h"
#include "bioptic/report/gap_report.h"
#include "bioptic/report/tables.h"
#include "bioptic/report/text.h"
#include "bioptic/study/summarise_gap.h"

namespace bioptic {
namespace {

struct Part {
  const char* name;
  const char* colour;
  const GapPart ArmGap::*part;
};
constexpr std::array<Part, 3> kParts = {{
    {"selection and leakage", "#E69F00", &ArmGap::selection_and_leakage},
    {"prevalence", "#009E73", &ArmGap::prevalence},
    {"sensitivity and specificity", "#0072B2", &ArmGap::rest},
}};

std::string points(double value) { return number_text(100 * value); }

// Per arm: the parts stacked from 0, those below 0 to the left; under it each part with its
// interval, and the control's gap.
Figure parts_figure(const GapSummary& gap) {
  Figure f;
  f.name = "gap-parts";
  f.width_mm = 170;
  f.caption =
      "The gap from validation to test, in parts that add up to it (bars), and each part with its "
      "95 "
      "% interval over seeds and patients (dots and lines). Test images whose group is in no other "
      "split.";
  constexpr double kRows = 6;  // an arm's height, in rows of dots
  const auto arms = static_cast<double>(gap.arms.size());
  f.height_mm = 26 + 26 * arms;
  std::string bars, dots, tics, wide;
  for (std::size_t a = 0; a < gap.arms.size(); ++a) {
    const ArmGap& arm = gap.arms[a];
    const double top = kRows * (arms - static_cast<double>(a));
    tics +=
        fmt::format("{}{} {}", a == 0 ? "" : ", ", gnuplot_tic(shortened(arm.arm, 24)), top - 0.8);
    double right = 0, left = 0;
    for (std::size_t k = 0; k < kParts.size(); ++k) {
      const GapPart& part = arm.*kParts[k].part;
      if (std::isnan(part.value)) continue;
      double& end = part.value < 0 ? left : right;
      bars += fmt::format("{} {} {} {} {} {} {}\n", points(end + part.value / 2), top - 0.8,
                          points(std::min(end, end + part.value)),
                          points(std::max(end, end + part.value)), top - 1.45, top - 0.15, k);
      end += part.value;
      const GapEstimate& interval = std::isnan(part.e2.low) ? part.e1 : part.e2;
      const bool known = !std::isnan(interval.low);
      dots += fmt::format(
          "{} {} {} {} {}\n", points(part.value), top - 2.1 - 0.75 * static_cast<double>(k),
          points(known ? interval.low : part.value), points(known ? interval.high : part.value), k);
    }
    const auto add = [&](const GapPart& part, double y, int kind) {
      if (std::isnan(part.value)) return;
      const GapEstimate& interval = std::isnan(part.e2.low) ? part.e1 : part.e2;
      const bool known = !std::isnan(interval.low);
      wide += fmt::format("{} {} {} {} {}\n", points(part.value), y,
                          points(known ? interval.low : part.value),
                          points(known ? interval.high : part.value), kind);
    };
    add(arm.total, top - 0.8, 0);
    add(arm.control_total, top - 2.1 - 0.75 * 3, 1);
  }
  if (dots.empty()) return {};
  // a block without rows is an error to gnuplot
  const std::string none = "NaN NaN NaN NaN -1\n";
  f.body = "$bars << EOD\n" + bars + "EOD\n$dots << EOD\n" + dots + "EOD\n$wide << EOD\n" + wide +
           none + "EOD\n";
  f.body += fmt::format(
      "set ytics ({})\nset yrange [{}:{}]\nset lmargin at screen 0.17\nset rmargin at screen 0.98\n"
      "set bmargin at screen {:.3f}\nset tmargin at screen {:.3f}\nset xlabel 'accuracy, "
      "percentage "
      "points' offset 0,0.5\nset xzeroaxis\nset arrow from 0, graph 0 to 0, graph 1 nohead lw 0.8 "
      "lc "
      "rgb '#404040'\nset offsets graph 0.04, graph 0.04, 0, 0\nset bars 0\nset key at screen "
      "0.98, "
      "screen 0.99 top right horizontal maxrows 2 samplen 1\nplot ",
      tics, 1, kRows * arms + 0.4, 11 / f.height_mm, 1 - 14 / f.height_mm);
  for (std::size_t k = 0; k < kParts.size(); ++k) {
    f.body += fmt::format(
        "$bars using ($7=={0}?$1:NaN):2:3:4:5:6 with boxxyerror fs solid 0.75 noborder lc rgb "
        "'{1}' "
        "title '{2}', $dots using ($5=={0}?$1:NaN):2:3:4 with xerrorbars pt 7 ps 0.4 lw 1.2 lc rgb "
        "'{1}' notitle, ",
        k, kParts[k].colour, kParts[k].name);
  }
  f.body +=
      "$wide using ($5==0?$1:NaN):2:3:4 with xerrorbars pt 13 ps 0.6 lw 1.2 lc rgb '#000000' title "
      "'validation - test', $wide using ($5==1?$1:NaN):2:3:4 with xerrorbars pt 6 ps 0.5 lw 1.2 lc "
      "rgb '#707070' title 'the same in the control'";
  return f;
}

struct Named {
  const char* name;
  const char* title;
  const char* colour;
};
constexpr std::array<Named, 4> kSplits = {{{"train", "train", "#707070"},
                                           {"val", "validation", "#E69F00"},
                                           {"holdout", "hold-out", "#009E73"},
                                           {"test", "test", "#D55E00"}}};

// Shares per bin of [0, 1] as a line of steps.
constexpr std::size_t kScoreBins = 25;
using Histogram = std::array<double, kScoreBins>;

// One arm: scores of the positive class by split, images of all seeds together.
std::string score_plot(const StudySummary& summary, const ArmSummary& arm, std::size_t number,
                       std::string& data) {
  std::map<std::string, std::array<Histogram, 2>> histograms;
  std::map<std::string, std::array<double, 2>> totals;
  for (const TrialSummary& trial : arm.trials) {
    for (const SplitPredictions& p : trial.result.predictions) {
      for (std::size_t i = 0; i < p.rows.size(); ++i) {
        const auto score = static_cast<double>(
            score_of(arm, summary.positive, &p.logits[i * static_cast<std::size_t>(arm.outputs)]));
        if (!std::isfinite(score)) continue;
        const std::size_t is = summary.images[p.rows[i]].label == summary.positive ? 1 : 0;
        auto& of_split = histograms[p.split];
        of_split[is][std::min(kScoreBins - 1,
                              static_cast<std::size_t>(score * static_cast<double>(kScoreBins)))] +=
            1;
        totals[p.split][is] += 1;
      }
    }
  }
  std::string plots;
  for (const Named& split : kSplits) {
    if (!histograms.contains(split.name)) continue;
    const std::string block = fmt::format("$score{}{}", number, split.name);
    data += block + " << EOD\n";
    for (std::size_t b = 0; b < kScoreBins; ++b) {
      const auto share = [&](std::size_t is) {
        const double total = totals[split.name][is];
        return total == 0 ? 0 : 100 * histograms[split.name][is][b] / total;
      };
      // classes on both sides of the axis
      data += fmt::format("{} {} {}\n",
                          (static_cast<double>(b) + 0.5) / static_cast<double>(kScoreBins),
                          number_text(share(1)), number_text(-share(0)));
    }
    data += "EOD\n";
    plots += fmt::format(
        "{0}{1} using 1:2 with histeps lw 1.2 lc rgb '{2}' title '{3}', {1} using 1:3 with histeps "
        "lw "
        "1.2 lc rgb '{2}' notitle",
        plots.empty() ? "" : ", ", block, split.colour, split.title);
  }
  return plots;
}

Figure scores_figure(const StudySummary& summary) {
  Figure f;
  f.name = "gap-scores";
  f.width_mm = 170;
  const std::size_t arms = std::min<std::size_t>(summary.gap->arms.size(), 4);
  const std::size_t columns = std::min<std::size_t>(arms, 2), rows = (arms + 1) / 2;
  f.height_mm = 14 + 56 * static_cast<double>(rows);
  const std::string positive = summary.dataset.classes[static_cast<std::size_t>(summary.positive)];
  const std::string other = summary.dataset.classes[static_cast<std::size_t>(1 - summary.positive)];
  f.caption = fmt::format(
      "Scores of {} by split, all seeds together: share of the images of {} above the line, of {} "
      "below it.{}",
      positive, positive, other, arms < summary.gap->arms.size() ? " The first four arms." : "");
  std::string data, plots;
  for (std::size_t a = 0; a < arms; ++a) {
    const ArmSummary& arm =
        *std::find_if(summary.arms.begin(), summary.arms.end(),
                      [&](const ArmSummary& one) { return one.name == summary.gap->arms[a].arm; });
    const std::string lines = score_plot(summary, arm, a, data);
    const std::size_t row = a / columns;
    const double width = 1.0 / static_cast<double>(columns),
                 height = (1 - 8 / f.height_mm) / static_cast<double>(rows);
    const double left = width * static_cast<double>(a % columns),
                 bottom = height * static_cast<double>(rows - 1 - row);
    plots += fmt::format(
        "set lmargin at screen {:.3f}\nset rmargin at screen {:.3f}\nset bmargin at screen {:.3f}\n"
        "set tmargin at screen {:.3f}\nset title {} offset 0,-0.7\n{}\nplot {}\n",
        left + 12 / f.width_mm, left + width - 3 / f.width_mm, bottom + 10 / f.height_mm,
        bottom + height - 5 / f.height_mm, gnuplot_quote(shortened(arm.name, 30)),
        a == 0 ? "set key at screen 0.98, screen 0.995 top right horizontal maxrows 1 samplen 1"
               : "unset key",
        lines);
  }
  f.body =
      data + fmt::format(
                 "set multiplot\nset xrange [0:1]\nset xlabel {} offset 0,0.6\nset ylabel 'share "
                 "(%)' offset 1\nset xzeroaxis lt 1 lw 0.6 lc rgb '#404040'\nset format y "
                 "'%g'\n{}",
                 gnuplot_quote("score of " + positive), plots);
  return f;
}

using RowsBySplit = std::map<std::string, std::vector<std::uint32_t>, std::less<>>;

RowsBySplit rows_by_split(const StudySummary& summary) {
  RowsBySplit rows;
  for (std::uint32_t i = 0; i < summary.images.size(); ++i) {
    rows[std::string(summary.images[i].split)].push_back(i);
  }
  return rows;
}

// Up to this many images of a split, spread evenly over it.
constexpr std::size_t kMostImages = 500;
std::vector<std::size_t> spread(const std::vector<std::uint32_t>& rows) {
  const std::size_t used = std::min(rows.size(), kMostImages);
  std::vector<std::size_t> some;
  for (std::size_t k = 0; k < used; ++k) some.push_back(rows[k * rows.size() / used]);
  return some;
}

Figure intensity_figure(const StudySummary& summary, const Dataset& dataset) {
  Figure f;
  f.name = "gap-intensity";
  f.caption = fmt::format(
      "Grey values of the pixels by split (up to {} images each, validation as seed 0 draws it).",
      kMostImages);
  std::string data, plots;
  const auto by_split = rows_by_split(summary);
  for (const Named& split : kSplits) {
    const auto rows = by_split.find(split.name);
    if (rows == by_split.end()) continue;
    std::array<double, 64> bins{};
    double total = 0;
    for (const std::size_t row : spread(rows->second)) {
      for (const std::uint8_t v : dataset.image8(row)) bins[v / 4] += 1;
      total += static_cast<double>(dataset.pixels_per_image());
    }
    data += fmt::format("$grey_{} << EOD\n", split.name);
    for (std::size_t b = 0; b < bins.size(); ++b) {
      data += fmt::format("{} {}\n", 4 * b + 2, number_text(100 * bins[b] / total));
    }
    data += "EOD\n";
    plots += fmt::format("{}$grey_{} using 1:2 with histeps lw 1.2 lc rgb '{}' title '{}'",
                         plots.empty() ? "" : ", ", split.name, split.colour, split.title);
  }
  f.body = data +
           "set xrange [0:256]\nset yrange [0:*]\nset xtics 64\nset xlabel 'grey value' offset "
           "0,0.5\nset ylabel 'share of pixels (%)' offset 1\nset key top right samplen 1\nplot " +
           plots;
  return f;
}

// Mean images in a row, one per split, and below each but the first its difference to training.
Figure mean_figure(const StudySummary& summary, const Dataset& dataset,
                   const std::filesystem::path& scratch) {
  const auto h = static_cast<std::size_t>(dataset.info().height),
             w = static_cast<std::size_t>(dataset.info().width),
             channels = static_cast<std::size_t>(dataset.info().channels);
  struct Mean {
    std::string title;
    std::vector<double> grey;  // h x w, over channels
  };
  std::vector<Mean> means;
  const auto by_split = rows_by_split(summary);
  for (const Named& split : kSplits) {
    const auto rows = by_split.find(split.name);
    if (rows == by_split.end()) continue;
    Mean mean{split.title, std::vector<double>(h * w)};
    const std::vector<std::size_t> some = spread(rows->second);
    for (const std::size_t row : some) {
      const auto pixels = dataset.image8(row);
      for (std::size_t p = 0; p < pixels.size(); ++p) mean.grey[p % (h * w)] += pixels[p];
    }
    for (double& v : mean.grey) v /= static_cast<double>(some.size() * channels);
    means.push_back(std::move(mean));
  }
  double largest = 1;  // grey values
  for (const Mean& mean : means) {
    for (std::size_t p = 0; p < h * w; ++p) {
      largest = std::max(largest, std::fabs(mean.grey[p] - means[0].grey[p]));
    }
  }
  Figure f;
  f.name = "gap-mean-images";
  f.width_mm = 170;
  f.caption = fmt::format(
      "Mean image of each split (up to {} images), and its difference to that of training: orange "
      "is "
      "brighter, blue darker, white equal; full colour is {:.0f} grey values.",
      kMostImages, largest);
  const auto columns = means.size();
  // Both rows as one sheet of RGB bytes: numbers of a palette would tie it to gnuplot's own
  // colours.
  std::string sheet(3 * columns * w * 2 * h, static_cast<char>(255));
  for (std::size_t m = 0; m < columns; ++m) {
    for (std::size_t y = 0; y < h; ++y) {
      for (std::size_t x = 0; x < w; ++x) {
        const auto put = [&](std::size_t row, double r, double g, double b) {
          const std::size_t at = 3 * ((row * h + y) * columns * w + m * w + x);
          sheet[at] = static_cast<char>(static_cast<unsigned char>(r));
          sheet[at + 1] = static_cast<char>(static_cast<unsigned char>(g));
          sheet[at + 2] = static_cast<char>(static_cast<unsigned char>(b));
        };
        const double v = means[m].grey[y * w + x];
        put(0, v, v, v);
        if (m == 0) continue;
        const double d = (v - means[0].grey[y * w + x]) / largest, s = std::fabs(d);
        // white to #D55E00 or #0072B2
        if (d > 0) {
          put(1, 255 - s * 42, 255 - s * 161, 255 - s * 255);
        } else {
          put(1, 255 - s * 255, 255 - s * 141, 255 - s * 77);
        }
      }
    }
  }
  write_file(scratch / "means.rgb", sheet);
  const double image_mm =
      170.0 / static_cast<double>(columns) * static_cast<double>(h) / static_cast<double>(w);
  f.height_mm = 6 + 2 * image_mm;
  std::string labels;
  for (std::size_t m = 0; m < columns; ++m) {
    labels += fmt::format("set label {} at {},-0.05 center\n", gnuplot_quote(means[m].title),
                          static_cast<double>(m) + 0.5);
  }
  labels += "set label \"difference\\nto training\" at 0.5,1.45 center front\n";
  f.body =
      labels +
      fmt::format(
          "unset border\nunset tics\nunset grid\nunset key\nset lmargin at screen 0\nset rmargin "
          "at screen 1\nset bmargin at screen 0\nset tmargin at screen {:.4f}\nset xrange "
          "[0:{}]\nset yrange [2:0]\nplot 'means.rgb' binary array=({},{}) format='%uchar' dx={} "
          "dy={} origin=({},{}) using 1:2:3 with rgbimage notitle",
          1 - 6 / f.height_mm, columns, columns * w, 2 * h, 1.0 / static_cast<double>(w),
          1.0 / static_cast<double>(h), 0.5 / static_cast<double>(w), 0.5 / static_cast<double>(h));
  return f;
}

}  // namespace

std::vector<Figure> gap_figures(const StudySummary& summary) {
  if (!summary.gap || summary.gap->arms.empty()) return {};
  std::vector<Figure> figures;
  Figure parts = parts_figure(*summary.gap);
  if (!parts.name.empty()) figures.push_back(std::move(parts));
  figures.push_back(scores_figure(summary));
  return figures;
}

std::vector<Figure> gap_image_figures(const StudySummary& summary, const Dataset& dataset,
                                      const std::filesystem::path& scratch) {
  if (!summary.gap) return {};
  return {intensity_figure(summary, dataset), mean_figure(summary, dataset, scratch)};
}

}  // namespace bioptic
