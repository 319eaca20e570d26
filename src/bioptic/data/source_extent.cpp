#include "bioptic/data/source_extent.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "bioptic/base/nesting.h"

namespace bioptic {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<const char*, Extent SourceExtent::*>, 4> kExtents = {
    {{"width", &SourceExtent::width},
     {"height", &SourceExtent::height},
     {"aspect", &SourceExtent::aspect},
     {"colour", &SourceExtent::colour}}};

std::optional<SourceExtent> read_object(const json& j) {
  const auto is_range = [](const json& range) {
    return range.is_array() && range.size() == 2 && range[0].is_number() && range[1].is_number();
  };
  if (!j.is_object() || !j.contains("count") || !j["count"].is_number_unsigned()) return {};
  SourceExtent extent;
  extent.images = j["count"].get<std::size_t>();
  for (const auto& [key, member] : kExtents) {
    if (!j.contains(key) || !is_range(j[key])) return {};
    extent.*member = {j[key][0].get<double>(), j[key][1].get<double>()};
  }
  return extent;
}

}  // namespace

SourceShape shape_of(const Image& image) {
  SourceShape shape{image.width, image.height, 0};
  if (image.channels != 3 || image.pixels.empty()) return shape;
  std::uint64_t sum = 0;
  for (std::size_t p = 0; p + 2 < image.pixels.size(); p += 3) {
    const auto [low, high] =
        std::minmax({image.pixels[p], image.pixels[p + 1], image.pixels[p + 2]});
    sum += static_cast<std::uint64_t>(high - low);
  }
  const double mean = 3 * static_cast<double>(sum) / static_cast<double>(image.pixels.size());
  shape.colour = image.bits == 16 ? mean / 257 : mean;
  return shape;
}

void Extent::add(double value, bool first) {
  low = first ? value : std::min(low, value);
  high = first ? value : std::max(high, value);
}

void SourceExtent::add(const SourceShape& shape) {
  const bool first = images++ == 0;
  width.add(shape.width, first);
  height.add(shape.height, first);
  aspect.add(shape.aspect(), first);
  colour.add(shape.colour, first);
}

std::string SourceExtent::text() const {
  json j = {{"count", images}};
  for (const auto& [key, member] : kExtents) j[key] = {(this->*member).low, (this->*member).high};
  return j.dump();
}

std::optional<SourceExtent> SourceExtent::read(const std::string& text) {
  if (nested_too_deeply(text)) return {};
  return read_object(json::parse(text, nullptr, false));
}

std::optional<SourceExtent> source_extent(const std::string& provenance) {
  if (nested_too_deeply(provenance)) return {};
  const json j = json::parse(provenance, nullptr, false);
  if (!j.is_object() || !j.contains(kSourceExtentKey)) return {};
  return read_object(j[kSourceExtentKey]);
}

}  // namespace bioptic
