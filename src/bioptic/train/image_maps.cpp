#include "bioptic/train/image_maps.h"

namespace bioptic {
namespace {

constexpr std::size_t kFewTables = 4096;  // 1 MiB

}  // namespace

ImageMaps::ImageMaps(const Normaliser& normaliser, std::size_t images) : normaliser_(&normaliser) {
  if (!normaliser.per_image()) return;
  const std::size_t count = images * normaliser.channels();
  maps_.resize(count);
  if (!normaliser.has_tables()) return;
  if (count <= kFewTables) {
    tables_.resize(count);
  } else {
    scratch_ = ScratchMemory(count * sizeof(GreyTable));
  }
}

void ImageMaps::set(std::size_t image, std::span<const std::uint8_t> pixels) {
  if (maps_.empty()) return;
  const std::size_t channels = normaliser_->channels(), first = image * channels;
  std::span<GreyTable> tables;
  if (!tables_.empty()) tables = std::span(tables_).subspan(first, channels);
  if (scratch_.size() > 0) {
    tables = {reinterpret_cast<GreyTable*>(scratch_.data()) + first, channels};
  }
  normaliser_->fit_image(pixels, std::span(maps_).subspan(first, channels), tables);
}

NormalisedImages::NormalisedImages(const Dataset& dataset, const Normaliser& normaliser,
                                   std::span<const std::uint32_t> rows)
    : dataset_(&dataset), maps_(normaliser, dataset.size()) {
  if (!normaliser.per_image()) return;
  for (const std::uint32_t row : rows) maps_.set(row, dataset.image8(row));
}

}  // namespace bioptic
