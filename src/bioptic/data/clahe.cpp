#include "bioptic/data/clahe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "bioptic/base/parallel.h"

namespace bioptic {
namespace {

// Grey levels that the image is spread over before it is binned, and that the mappings give.
constexpr int kLevels = 1 << 14, kBins = 256;
constexpr int kLevelsPerBin = 1 + kLevels / kBins;

using Counts = std::array<std::int64_t, kBins>;
using Mapping = std::array<std::uint16_t, kBins>;  // bin -> level

// Cuts the counts at `limit` and spreads what was cut over the bins: first evenly, then one by one
// over the bins that still have room, at even distances.
void clip(Counts& counts, std::int64_t limit) {
  std::int64_t excess = 0;
  for (std::int64_t& n : counts) {
    excess += std::max<std::int64_t>(n - limit, 0);
    n = std::min(n, limit);
  }
  const std::int64_t each = excess / kBins;
  for (std::int64_t& n : counts) {
    if (n < limit - each) {
      n += each;
      excess -= each;
    }
    if (n >= limit - each && n < limit) {
      excess -= limit - n;
      n = limit;
    }
  }
  while (excess > 0) {
    const std::int64_t before = excess;
    for (std::size_t first = 0; first < kBins && excess > 0; ++first) {
      const auto open = std::count_if(counts.begin(), counts.end(),
                                      [limit](std::int64_t n) { return n < limit; });
      const auto step = static_cast<std::size_t>(std::max<std::int64_t>(1, open / excess));
      for (std::size_t bin = first; bin < kBins; bin += step) {
        if (counts[bin] >= limit) continue;
        ++counts[bin];
        --excess;
      }
    }
    if (excess == before) break;  // every bin is full
  }
}

Mapping mapping_of(const Counts& counts, std::int64_t pixels) {
  Mapping mapping{};
  std::int64_t sum = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    sum += counts[bin];
    const double level =
        static_cast<double>(sum) * (static_cast<double>(kLevels - 1) / static_cast<double>(pixels));
    mapping[bin] = static_cast<std::uint16_t>(std::min(level, static_cast<double>(kLevels - 1)));
  }
  return mapping;
}

// How one axis falls into tiles.
struct Axis {
  std::size_t size, tile, tiles;
  Axis(std::size_t pixels, std::size_t wanted)
      : size(pixels),
        tile(std::max<std::size_t>(1, pixels / wanted)),
        tiles((pixels + tile - 1) / tile) {}
  // The pixel at a place of the tiles; behind the end the image is mirrored at its last pixel.
  std::size_t pixel(std::size_t place) const {
    return place < size ? place : 2 * (size - 1) - place;
  }
  // The tiles whose centres lie before and after a pixel (the same at the edges), and the weight of
  // the second.
  struct Between {
    std::size_t before, after;
    double weight;
  };
  Between between(std::size_t place) const {
    const std::size_t shifted = place + tile / 2, block = shifted / tile;
    return {block == 0 ? 0 : std::min(block - 1, tiles - 1), std::min(block, tiles - 1),
            static_cast<double>(shifted % tile) / static_cast<double>(tile)};
  }
};

// One plane to levels in [0, 1], the smallest 0 and the largest 1; false where there is but one
// level.
bool equalize_plane(const Clahe& clahe, std::size_t height, std::size_t width,
                    std::span<const std::uint8_t> pixels, std::vector<double>& out) {
  const auto [least, most] = std::minmax_element(pixels.begin(), pixels.end());
  if (*least == *most) return false;
  std::array<std::uint8_t, 256> bin_of{};
  for (int v = *least; v <= *most; ++v) {
    const double share = static_cast<double>(v - *least) / static_cast<double>(*most - *least);
    // Halves to even.
    const auto level = static_cast<int>(std::nearbyint(share * (kLevels - 1)));
    bin_of[static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(level / kLevelsPerBin);
  }

  const auto wanted = static_cast<std::size_t>(clahe.tiles);
  const Axis rows(height, wanted), columns(width, wanted);
  const auto in_tile = static_cast<std::int64_t>(rows.tile * columns.tile);
  const std::int64_t limit = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(clahe.clip_limit * static_cast<double>(in_tile)));
  std::vector<Mapping> mappings;
  mappings.reserve(rows.tiles * columns.tiles);
  for (std::size_t i = 0; i < rows.tiles; ++i) {
    for (std::size_t j = 0; j < columns.tiles; ++j) {
      Counts counts{};
      for (std::size_t y = i * rows.tile; y < (i + 1) * rows.tile; ++y) {
        const std::uint8_t* line = &pixels[rows.pixel(y) * width];
        for (std::size_t x = j * columns.tile; x < (j + 1) * columns.tile; ++x) {
          ++counts[bin_of[line[columns.pixel(x)]]];
        }
      }
      clip(counts, limit);
      mappings.push_back(mapping_of(counts, in_tile));
    }
  }

  // Between the mappings of the four nearest tiles.
  std::vector<Axis::Between> across;
  for (std::size_t x = 0; x < width; ++x) across.push_back(columns.between(x));
  std::vector<std::uint16_t> levels(pixels.size());
  for (std::size_t y = 0; y < height; ++y) {
    const Axis::Between down = rows.between(y);
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t bin = bin_of[pixels[y * width + x]];
      const Axis::Between& side = across[x];
      const auto part = [&](std::size_t i, std::size_t j, double weight) {
        return static_cast<float>(weight *
                                  static_cast<double>(mappings[i * columns.tiles + j][bin]));
      };
      float level = part(down.before, side.before, (1 - side.weight) * (1 - down.weight));
      level += part(down.before, side.after, side.weight * (1 - down.weight));
      level += part(down.after, side.before, (1 - side.weight) * down.weight);
      level += part(down.after, side.after, side.weight * down.weight);
      levels[y * width + x] = static_cast<std::uint16_t>(level);
    }
  }
  const auto [low, high] = std::minmax_element(levels.begin(), levels.end());
  if (*low == *high) return false;
  const double floor = *low, span = static_cast<double>(*high) - floor;
  out.resize(pixels.size());
  std::transform(levels.begin(), levels.end(), out.begin(),
                 [=](std::uint16_t level) { return (static_cast<double>(level) - floor) / span; });
  return true;
}

std::uint8_t grey_of(double share) {
  return static_cast<std::uint8_t>(std::floor(255 * share + 0.5));
}

nlohmann::json record_of(const Clahe& clahe) {
  return {{"clip_limit", clahe.clip_limit}, {"tiles", clahe.tiles}, {"version", kClaheVersion}};
}

}  // namespace

void equalize(const Clahe& clahe, int channels, int height, int width,
              std::span<const std::uint8_t> pixels, std::span<std::uint8_t> out) {
  const auto h = static_cast<std::size_t>(height), w = static_cast<std::size_t>(width);
  const std::size_t plane = h * w;
  std::vector<double> shares;
  if (channels == 1) {
    if (equalize_plane(clahe, h, w, pixels, shares)) {
      std::transform(shares.begin(), shares.end(), out.begin(), grey_of);
    } else {
      std::copy(pixels.begin(), pixels.end(), out.begin());
    }
    return;
  }
  // The value of HSV.
  std::vector<std::uint8_t> value(plane);
  for (std::size_t p = 0; p < plane; ++p) {
    value[p] = std::max({pixels[p], pixels[plane + p], pixels[2 * plane + p]});
  }
  if (!equalize_plane(clahe, h, w, value, shares)) {
    std::copy(pixels.begin(), pixels.end(), out.begin());
    return;
  }
  for (std::size_t p = 0; p < plane; ++p) {
    for (std::size_t c = 0; c < 3; ++c) {
      // Black has no hue: it becomes grey.
      const double part = value[p] == 0 ? 1
                                        : static_cast<double>(pixels[c * plane + p]) /
                                              static_cast<double>(value[p]);
      out[c * plane + p] = grey_of(shares[p] * part);
    }
  }
}

DatasetInfo equalize_dataset(const Dataset& dataset, const Clahe& clahe,
                             const std::filesystem::path& folder, int threads,
                             const std::function<void(std::size_t, std::size_t)>& progress) {
  DatasetInfo info = dataset.info();
  nlohmann::json preprocessing =
      nlohmann::json::parse(info.preprocessing.empty() ? "{}" : info.preprocessing);
  preprocessing["clahe"] = record_of(clahe);
  preprocessing["clahe_of"] = dataset.info().content_hash;
  info.preprocessing = preprocessing.dump();
  DatasetWriter writer(folder, info);
  // A block of images on all threads, then written in order.
  const std::size_t bytes = dataset.pixels_per_image();
  const std::size_t at_once = std::clamp<std::size_t>((std::size_t{16} << 20) / bytes, 1, 1024);
  std::vector<std::uint8_t> block(at_once * bytes);
  ThreadPool pool(threads);
  for (std::size_t begin = 0; begin < dataset.size(); begin += at_once) {
    const std::size_t count = std::min(at_once, dataset.size() - begin);
    const auto image = [&](std::size_t i) { return std::span(block).subspan(i * bytes, bytes); };
    pool.run(count, [&](std::size_t i) {
      equalize(clahe, info.channels, info.height, info.width, dataset.image8(begin + i), image(i));
    });
    for (std::size_t i = 0; i < count; ++i) {
      writer.add(std::span<const std::uint8_t>(image(i)), dataset.record(begin + i));
    }
    if (progress) progress(begin + count, dataset.size());
  }
  return writer.finish();
}

bool is_equalized(const DatasetInfo& info, const Clahe& clahe) {
  const auto preprocessing = nlohmann::json::parse(info.preprocessing, nullptr, false);
  return preprocessing.is_object() && preprocessing.contains("clahe") &&
         preprocessing["clahe"] == record_of(clahe);
}

}  // namespace bioptic
