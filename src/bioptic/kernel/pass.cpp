#include "bioptic/kernel/pass.h"

#include <algorithm>
#include <cstring>

namespace bioptic::kernel {

TilePlan::TilePlan(std::size_t channels, std::size_t pixels_per_channel) {
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < pixels_per_channel; i += kTile) {
      tiles_.push_back({c, c * pixels_per_channel + i, std::min(kTile, pixels_per_channel - i)});
    }
  }
  const std::size_t parts = std::min(kMaxParts, tiles_.size());
  for (std::size_t p = 0; p <= parts; ++p) starts_.push_back(tiles_.size() * p / parts);
}

FirstLayerPass::FirstLayerPass(const Kernels& kernels, ThreadPool& pool, std::size_t channels,
                               std::size_t pixels_per_channel, std::size_t width,
                               std::size_t max_rows)
    : kernels_(kernels),
      pool_(pool),
      plan_(channels, pixels_per_channel),
      width_(width),
      max_rows_(max_rows),
      partial_(plan_.parts() * max_rows * width),
      pixels_(plan_.parts() * max_rows * kTile) {}

void FirstLayerPass::run(FirstLayer& layer, const UpdateBatch* update, std::span<const Row> next,
                         const float* bias, float* z) {
  pool_.run(plan_.parts(), [&](std::size_t part) { run_part(part, layer, update, next); });
  for (std::size_t b = 0; b < next.size(); ++b) {
    float* row = z + b * width_;
    std::memcpy(row, bias, width_ * sizeof(float));
    for (std::size_t p = 0; p < plan_.parts(); ++p) {
      const float* part = &partial_[(p * max_rows_ + b) * width_];
      for (std::size_t j = 0; j < width_; ++j) row[j] += part[j];
    }
  }
}

void FirstLayerPass::run_part(std::size_t part, FirstLayer& layer, const UpdateBatch* update,
                              std::span<const Row> next) {
  float* const z = &partial_[part * max_rows_ * width_];
  float* const x = &pixels_[part * max_rows_ * kTile];
  std::memset(z, 0, next.size() * width_ * sizeof(float));
  for (const Tile& tile : plan_.part(part)) {
    const std::size_t at = tile.first * width_;
    float* const w = layer.w.data() + at;
    if (update != nullptr) {
      const std::size_t rows = update->rows.size();
      kernels_.load_pixels(update->rows.data(), rows, tile.channel, tile.first, tile.count, x);
      kernels_.update(x, kTile, rows, update->delta, tile.count, width_, update->step, w,
                      layer.m.size() == 0 ? nullptr : layer.m.data() + at,
                      layer.v.size() == 0 ? nullptr : layer.v.data() + at);
    }
    if (!next.empty()) {
      kernels_.load_pixels(next.data(), next.size(), tile.channel, tile.first, tile.count, x);
      kernels_.multiply(x, kTile, next.size(), w, tile.count, width_, z);
    }
  }
}

}  // namespace bioptic::kernel
