#include "bioptic/train/normaliser.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

// Counts of a file are summed as they are and used as double.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 45;

struct Moments {
  double mean = 0, sd = 0;  // grey values; sd with divisor n
};

// From counts, so that the order of pixels and the compiler's way of summing cannot show: sums of
// whole numbers are exact, the rest is 256 terms in their order.
Moments moments_of(const GreyCounts& counts) {
  std::uint64_t n = 0, sum = 0;
  for (std::size_t v = 0; v < counts.size(); ++v) {
    n += counts[v];
    sum += v * counts[v];
  }
  Moments m;
  m.mean = static_cast<double>(sum) / static_cast<double>(n);
  double squares = 0;
  for (std::size_t v = 0; v < counts.size(); ++v) {
    const double d = static_cast<double>(v) - m.mean;
    squares += static_cast<double>(counts[v]) * (d * d);
  }
  m.sd = std::sqrt(squares / static_cast<double>(n));
  return m;
}

// (p - mean) / sd.  The offset takes the scale as it was rounded, so that p = mean gives 0 but for
// the offset's own rounding.
PixelMap standard_map(double mean, double sd) {
  PixelMap map;
  map.scale = static_cast<float>(1 / sd);
  map.offset = static_cast<float>(-mean * static_cast<double>(map.scale));
  return map;
}

std::span<const std::uint8_t> channel_of(std::span<const std::uint8_t> pixels, std::size_t channel,
                                         std::size_t channels) {
  const std::size_t plane = pixels.size() / channels;
  return pixels.subspan(channel * plane, plane);
}

}  // namespace

void count_greys(std::span<const std::uint8_t> pixels, GreyCounts& counts) {
  // Four counters: neighbours are often equal, and one would wait for its own last store.
  std::array<std::array<std::uint32_t, 256>, 4> parts{};
  std::size_t i = 0;
  while (i < pixels.size()) {
    // In blocks, so that 32 bits suffice for images of any size.
    const std::size_t end = std::min(pixels.size(), i + (std::size_t{1} << 30));
    for (; i + 4 <= end; i += 4) {
      for (std::size_t k = 0; k < 4; ++k) ++parts[k][pixels[i + k]];
    }
    for (; i < end; ++i) ++parts[0][pixels[i]];
    for (auto& part : parts) {
      for (std::size_t v = 0; v < counts.size(); ++v) counts[v] += part[v];
      part.fill(0);
    }
  }
}

GreyTable matching_table(const GreyCounts& image, const GreyCounts& reference) {
  const auto size = [](const GreyCounts& c) {
    return static_cast<double>(std::accumulate(c.begin(), c.end(), std::uint64_t{0}));
  };
  const double image_size = size(image), reference_size = size(reference);
  // The reference's values that occur and the share of pixels up to each.
  std::vector<double> values, shares;
  std::uint64_t sum = 0;
  for (std::size_t v = 0; v < reference.size(); ++v) {
    if (reference[v] == 0) continue;
    sum += reference[v];
    values.push_back(static_cast<double>(v));
    shares.push_back(static_cast<double>(sum) / reference_size);
  }
  GreyTable table{};
  std::uint64_t below = 0;
  std::size_t next = 0;  // the first share that is not below the image's
  for (std::size_t v = 0; v < image.size(); ++v) {
    below += image[v];
    const double share = static_cast<double>(below) / image_size;
    while (next + 1 < shares.size() && shares[next] < share) ++next;
    double value = values[next];
    if (next > 0 && shares[next] > share) {
      const double part = (share - shares[next - 1]) / (shares[next] - shares[next - 1]);
      value = values[next - 1] + part * (values[next] - values[next - 1]);
    }
    table[v] = static_cast<std::uint8_t>(std::floor(value + 0.5));
  }
  return table;
}

Clahe clahe_of(const NormalisationSpec& spec) { return {spec.clip_limit, spec.tiles}; }

Normaliser::Normaliser(const NormalisationSpec& spec, std::size_t channels)
    : spec_(spec), channels_(channels), maps_(channels) {}

Normaliser Normaliser::fit(const NormalisationSpec& spec, const Dataset& dataset,
                           std::span<const std::uint32_t> rows) {
  if (spec.kind == NormalisationKind::clahe && !is_equalized(dataset.info(), clahe_of(spec))) {
    throw std::logic_error("the trial's images are to be those of equalize_dataset");
  }
  Normaliser fitted(spec, static_cast<std::size_t>(dataset.info().channels));
  const bool counts =
      spec.kind == NormalisationKind::training || spec.kind == NormalisationKind::histogram;
  if (!counts) return fitted;
  std::vector<GreyCounts> greys(fitted.channels_, GreyCounts{});
  for (const std::uint32_t row : rows) {
    for (std::size_t c = 0; c < fitted.channels_; ++c) {
      count_greys(channel_of(dataset.image8(row), c, fitted.channels_), greys[c]);
    }
  }
  if (spec.kind == NormalisationKind::histogram) {
    fitted.counts_ = std::move(greys);
  } else {
    for (const GreyCounts& channel : greys) {
      const Moments m = moments_of(channel);
      fitted.mean_.push_back(m.mean);
      fitted.sd_.push_back(m.sd);
    }
  }
  fitted.make_maps();
  return fitted;
}

Normaliser::Normaliser(const NormalisationSpec& spec, std::size_t channels,
                       const std::string& fitted)
    : Normaliser(spec, channels) {
  try {
    const auto j = nlohmann::json::parse(fitted);
    bool good = true;
    if (spec.kind == NormalisationKind::training) {
      mean_ = j.at("mean").get<std::vector<double>>();
      sd_ = j.at("sd").get<std::vector<double>>();
      const auto sound = [](double v) { return std::isfinite(v) && v >= 0 && v <= 255; };
      good = mean_.size() == channels && sd_.size() == channels &&
             std::all_of(mean_.begin(), mean_.end(), sound) &&
             std::all_of(sd_.begin(), sd_.end(), sound);
    } else if (spec.kind == NormalisationKind::histogram) {
      counts_ = j.at("counts").get<std::vector<GreyCounts>>();
      good = counts_.size() == channels &&
             std::all_of(counts_.begin(), counts_.end(), [](const GreyCounts& c) {
               return std::any_of(c.begin(), c.end(), [](auto n) { return n > 0; }) &&
                      std::all_of(c.begin(), c.end(), [](auto n) { return n < kMostPixels; });
             });
    }
    if (!good) throw InputError("its normalisation does not fit its images");
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("its normalisation cannot be read: ") + e.what());
  }
  make_maps();
}

void Normaliser::make_maps() {
  if (spec_.kind != NormalisationKind::training) return;
  for (std::size_t c = 0; c < channels_; ++c) {
    // A channel that never changes keeps the spread of p / 255: another image may differ in it.
    maps_[c] = standard_map(mean_[c], sd_[c] > 0 ? sd_[c] : 255);
  }
}

std::string Normaliser::fitted() const {
  nlohmann::json j = nlohmann::json::object();
  if (spec_.kind == NormalisationKind::training) j = {{"mean", mean_}, {"sd", sd_}};
  if (spec_.kind == NormalisationKind::histogram) j["counts"] = counts_;
  return j.dump();
}

bool Normaliser::per_image() const {
  return spec_.kind == NormalisationKind::image || spec_.kind == NormalisationKind::histogram;
}

void Normaliser::fit_image(std::span<const std::uint8_t> pixels, std::span<PixelMap> maps,
                           std::span<GreyTable> tables) const {
  if (spec_.kind == NormalisationKind::histogram) {
    for (std::size_t c = 0; c < channels_; ++c) {
      GreyCounts counts{};
      count_greys(channel_of(pixels, c, channels_), counts);
      tables[c] = matching_table(counts, counts_[c]);
      maps[c] = {};
      maps[c].table = tables[c].data();
    }
    return;
  }
  GreyCounts counts{};
  count_greys(pixels, counts);
  const Moments m = moments_of(counts);
  PixelMap map{0, 0, nullptr};  // an image of one grey value: all its inputs are 0
  if (m.sd > 0) {
    map = standard_map(m.mean, std::max(m.sd, 1 / std::sqrt(static_cast<double>(pixels.size()))));
  }
  std::fill(maps.begin(), maps.end(), map);
}

}  // namespace bioptic
