// What the network is shown where an arm augments.
#include <fmt/format.h>

#include <algorithm>

#include "bioptic/report/figures.h"
#include "bioptic/report/sheet.h"
#include "bioptic/report/text.h"
#include "bioptic/train/augment.h"

namespace bioptic {
namespace {

constexpr std::size_t kEpochs = 5, kMaxArms = 6;

struct ShownArm {
  const ArmSummary* arm;
  std::uint64_t order_seed;  // of its first seed
};

std::vector<ShownArm> augmenting_arms(const StudySummary& summary) {
  std::vector<ShownArm> shown;
  for (const ArmSummary& arm : summary.arms) {
    if (arm.augment.any() && !arm.trials.empty() && shown.size() < kMaxArms) {
      shown.push_back({&arm, arm.trials.front().seeds.order});
    }
  }
  return shown;
}

// The first training image of the class, or none.
std::optional<std::uint32_t> training_image(const StudySummary& summary, std::int64_t label) {
  for (std::size_t i = 0; i < summary.images.size(); ++i) {
    if (summary.images[i].split == "train" && summary.images[i].label == label) {
      return static_cast<std::uint32_t>(i);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Figure> augmented_figure(const StudySummary& summary, const Dataset& dataset,
                                       const std::filesystem::path& scratch) {
  const std::vector<ShownArm> arms = augmenting_arms(summary);
  const std::optional<std::uint32_t> image = training_image(summary, summary.positive);
  if (arms.empty() || !image) return std::nullopt;
  const DatasetInfo& info = dataset.info();
  Sheet sheet(kEpochs + 1, arms.size());
  std::string labels =
      "set label 'epoch' at -0.1,-0.15 right\nset label 'stored' at 0.5,-0.15 center\n";
  for (std::size_t e = 1; e <= kEpochs; ++e) {
    labels += fmt::format("set label '{}' at {},-0.15 center\n", e, static_cast<double>(e) + 0.5);
  }
  std::vector<std::uint8_t> changed(dataset.pixels_per_image());
  for (std::size_t r = 0; r < arms.size(); ++r) {
    Augmenter augmenter(arms[r].arm->augment, static_cast<std::size_t>(info.channels),
                        static_cast<std::size_t>(info.height), static_cast<std::size_t>(info.width),
                        arms[r].order_seed);
    sheet.put_image(0, r, dataset, *image);
    for (std::size_t e = 1; e <= kEpochs; ++e) {
      augmenter.apply(augmenter.draw({*image, static_cast<int>(e), 0}),
                      dataset.image8(*image).data(), changed.data());
      sheet.put_pixels(e, r, info, changed);
    }
    labels +=
        fmt::format("set label {} at -0.1,{} right\n",
                    gnuplot_quote(shortened(arms[r].arm->name, 13)), static_cast<double>(r) + 0.5);
  }
  Figure f;
  f.name = "augmented";
  const double left_mm = 24, thumb_mm = (85 - left_mm) / (kEpochs + 1);
  f.height_mm = 6 + thumb_mm * static_cast<double>(arms.size());
  f.caption = fmt::format(
      "Training image {} as it is stored, and as each arm that augments shows it to the network in "
      "its first {} epochs (first seed).",
      summary.images[*image].id, kEpochs);
  f.body = labels + fmt::format(
                        "unset border\nunset tics\nunset grid\nunset key\n"
                        "set lmargin at screen {:.4f}\nset rmargin at screen 0.995\n"
                        "set tmargin at screen {:.4f}\nset bmargin at screen 0.005\n"
                        "set xrange [0:{}]\nset yrange [{}:0]\nplot {}",
                        left_mm / 85, 1 - 5 / f.height_mm, kEpochs + 1, arms.size(),
                        sheet.plot(scratch, "augmented.rgb"));
  return f;
}

}  // namespace bioptic
