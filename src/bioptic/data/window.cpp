#include "bioptic/data/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "bioptic/base/error.h"

namespace bioptic {

Window find_window(const Dataset& dataset, std::span<const std::uint32_t> rows,
                   const WindowSpec& spec) {
  if (spec.kind == WindowKind::fixed) {
    return {static_cast<std::uint16_t>(spec.low), static_cast<std::uint16_t>(spec.high)};
  }
  std::vector<std::uint64_t> counts(65536);
  std::uint64_t total = 0;
  for (const std::uint32_t row : rows) {
    for (const std::uint16_t v : dataset.image16(row)) ++counts[v];
    total += dataset.pixels_per_image();
  }
  // The smallest value with more than `share` of the pixels at or below it.
  const auto value_at = [&](double share) {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total));
    std::uint64_t below = 0;
    for (std::size_t v = 0; v < counts.size(); ++v) {
      below += counts[v];
      if (below > wanted) return static_cast<std::uint16_t>(v);
    }
    return std::uint16_t{65535};
  };
  Window window;
  if (spec.kind == WindowKind::percentile) {
    window = {value_at(0.005), value_at(0.995)};
  } else {
    window.low = value_at(0);
    const auto last = std::find_if(counts.rbegin(), counts.rend(), [](auto n) { return n > 0; });
    window.high = static_cast<std::uint16_t>(counts.rend() - last - 1);
  }
  if (window.high <= window.low) {
    throw InputError(fmt::format("{}: every training pixel is {}; the images are empty",
                                 dataset.folder().string(), window.low));
  }
  return window;
}

std::uint8_t apply_window(std::uint16_t value, Window window) {
  if (value <= window.low) return 0;
  if (value >= window.high) return 255;
  const std::uint32_t span = static_cast<std::uint32_t>(window.high) - window.low;
  return static_cast<std::uint8_t>((510U * (value - window.low) + span) / (2 * span));
}

DatasetInfo window_dataset(const Dataset& dataset, Window window,
                           const std::filesystem::path& folder) {
  DatasetInfo info = dataset.info();
  info.dtype = PixelType::uint8;
  nlohmann::json preprocessing =
      nlohmann::json::parse(info.preprocessing.empty() ? "{}" : info.preprocessing);
  preprocessing["window"] = {window.low, window.high};
  preprocessing["window_of"] = dataset.info().content_hash;
  info.preprocessing = preprocessing.dump();
  std::vector<std::uint8_t> map(65536);
  for (std::size_t v = 0; v < map.size(); ++v) {
    map[v] = apply_window(static_cast<std::uint16_t>(v), window);
  }
  DatasetWriter writer(folder, info);
  std::vector<std::uint8_t> bytes(dataset.pixels_per_image());
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const auto pixels = dataset.image16(row);
    std::transform(pixels.begin(), pixels.end(), bytes.begin(),
                   [&](std::uint16_t v) { return map[v]; });
    writer.add(std::span<const std::uint8_t>(bytes), dataset.record(row));
  }
  return writer.finish();
}

}  // namespace bioptic
