#include "bioptic/kernel/pass.h"

#include <algorithm>
#include <cstring>

#include "bioptic/base/flush_to_zero.h"

namespace bioptic::kernel {
namespace {

// Inputs whose weights are updated and then used at once: w, m and v of 32 x 64 are 24 KiB.
constexpr std::size_t kBlock = 32;

// Copies pixels first .. first + count - 1 of every row to (rows, stride).  The rows of a batch are
// images anywhere in memory, more streams than the hardware follows, and images of 2^16 bytes fall
// on one set of the first and two of the second level, so that lines fetched ahead for all rows
// would drive each other out.  Copied some tiles at a time, with the next rows fetched ahead, they
// come in as fast as memory gives them.
void stage(std::span<const Row> rows, std::size_t first, std::size_t count, std::size_t stride,
           std::uint8_t* out) {
  constexpr std::size_t kAhead = 6, kLine = 64;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    if (b + kAhead < rows.size()) {
      const std::uint8_t* const ahead = rows[b + kAhead].pixels + first;
      for (std::size_t i = 0; i < count; i += kLine) __builtin_prefetch(ahead + i);
    }
    std::memcpy(out + b * stride, rows[b].pixels + first, count);
  }
}

}  // namespace

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
      x_(plan_.parts() * 2 * max_rows * kTile),
      staged_(plan_.parts() * 2 * max_rows * kStageStride) {}

void FirstLayerPass::run(FirstLayer& layer, const UpdateBatch* update, std::span<const Row> next,
                         const float* bias, float* z) {
  pool_.run(plan_.parts(), [&](std::size_t part) {
    const FlushToZero flush;
    run_part(part, layer, update, next);
  });
  for (std::size_t b = 0; b < next.size(); ++b) {
    float* const row = z + b * width_;
    std::memcpy(row, bias, width_ * sizeof(float));
    kernels_.add_parts(&partial_[b * width_], max_rows_ * width_, plan_.parts(), width_, row);
  }
}

void FirstLayerPass::run_part(std::size_t part, FirstLayer& layer, const UpdateBatch* update,
                              std::span<const Row> next) {
  float* const z = &partial_[part * max_rows_ * width_];
  std::memset(z, 0, next.size() * width_ * sizeof(float));
  float* const x = &x_[part * 2 * max_rows_ * kTile];
  float* const x_next = x + max_rows_ * kTile;
  std::uint8_t* const staged = &staged_[part * 2 * max_rows_ * kStageStride];
  std::uint8_t* const staged_next = staged + max_rows_ * kStageStride;
  const std::span<const Row> rows = update == nullptr ? std::span<const Row>{} : update->rows;
  const std::span<const Tile> tiles = plan_.part(part);
  std::size_t staged_from = 0;  // first pixel that is staged
  for (std::size_t t = 0; t < tiles.size(); ++t) {
    const Tile& tile = tiles[t];
    if (t % kStageTiles == 0) {
      const Tile& last = tiles[std::min(t + kStageTiles, tiles.size()) - 1];
      staged_from = tile.first;
      const std::size_t count = last.first + last.count - staged_from;
      stage(rows, staged_from, count, kStageStride, staged);
      stage(next, staged_from, count, kStageStride, staged_next);
    }
    const std::size_t from = tile.first - staged_from;
    kernels_.load_pixels(rows.data(), rows.size(), tile.channel, staged + from, kStageStride,
                         tile.count, x);
    kernels_.load_pixels(next.data(), next.size(), tile.channel, staged_next + from, kStageStride,
                         tile.count, x_next);
    for (std::size_t j = 0; j < width_; j += FirstLayer::kPanel) {
      const std::size_t columns = layer.panel_columns(j);
      for (std::size_t i = 0; i < tile.count; i += kBlock) {
        const std::size_t count = std::min(kBlock, tile.count - i),
                          at = layer.at(tile.first + i, j);
        float* const w = layer.w.data() + at;
        // This panel's next block follows in memory.
        const std::size_t ahead = count * columns;
        if (update != nullptr) {
          kernels_.update(x + i, kTile, rows.size(), update->delta + j, width_, count, columns,
                          update->step, w, layer.m.size() == 0 ? nullptr : layer.m.data() + at,
                          layer.v.size() == 0 ? nullptr : layer.v.data() + at, ahead);
        }
        kernels_.multiply(x_next + i, kTile, next.size(), w, count, columns, z + j, width_, ahead);
      }
    }
  }
}

}  // namespace bioptic::kernel
