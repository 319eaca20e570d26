// One pass over the first layer's weights does three things per tile of pixels while the tile is in
// the first-level cache:
//
//   1. the tile's weight gradient of batch t               g[i][j] = sum_b x_t[b][i] delta_t[b][j]
//   2. the optimizer on the tile's w, m, v                 the gradient never reaches memory
//   3. the tile's share of batch t + 1's pre-activations   z[b][j] += sum_i x_t+1[b][i] w[i][j]
//
// so the weights, which are nearly all of the model, move through memory once per step instead of
// three times or more.  Pixels stay bytes until the tile.
//
// The same bits on any number of threads: the tiles are dealt to a fixed number of parts, each part
// sums into a buffer of its own in the order of its tiles, and the buffers are added in the order
// of the parts.  Which thread works on which part does not matter.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "bioptic/base/aligned.h"
#include "bioptic/base/parallel.h"
#include "bioptic/kernel/kernels.h"

namespace bioptic::kernel {

// A run of pixels of one channel: pixels first .. first + count - 1 of the row.
struct Tile {
  std::size_t channel = 0, first = 0, count = 0;
};

// Cuts channels x pixels_per_channel inputs into tiles of at most kTile that do not cross a
// channel, and the tiles into parts of nearly equal size.
class TilePlan {
 public:
  // More parts than any sensible number of threads for this much work, and few enough that adding
  // their buffers stays below 1 % of a step.
  static constexpr std::size_t kMaxParts = 32;

  TilePlan(std::size_t channels, std::size_t pixels_per_channel);
  std::size_t parts() const { return starts_.size() - 1; }
  std::span<const Tile> part(std::size_t p) const {
    return std::span(tiles_).subspan(starts_[p], starts_[p + 1] - starts_[p]);
  }

 private:
  std::vector<Tile> tiles_;
  std::vector<std::size_t> starts_;  // parts + 1
};

// The first layer's weights and moments, (inputs, width) with width a multiple of kLanes, stored in
// panels of kPanel outputs: panel p holds columns kPanel p .. as a contiguous (inputs, columns)
// array.  A tile of one panel's w, m and v is then contiguous and fits the first-level cache
// however wide the layer is.
struct FirstLayer {
  static constexpr std::size_t kPanel = 64;

  std::size_t inputs = 0, width = 0;
  AlignedBuffer<float> w, m, v;  // m, v empty where the optimizer keeps none

  std::size_t panel_columns(std::size_t first) const { return std::min(kPanel, width - first); }
  // Where the weight of input i and output j is.
  std::size_t at(std::size_t i, std::size_t j) const {
    const std::size_t first = j / kPanel * kPanel;
    return first * inputs + i * panel_columns(first) + (j - first);
  }
};

// The update half of a pass: batch t.
struct UpdateBatch {
  std::span<const Row> rows;     // B
  const float* delta = nullptr;  // (B, width): d(loss)/d(pre-activation)
  OptimizerStep step;
};

class FirstLayerPass {
 public:
  // max_rows: the most rows of a batch on either side.
  FirstLayerPass(const Kernels& kernels, ThreadPool& pool, std::size_t channels,
                 std::size_t pixels_per_channel, std::size_t width, std::size_t max_rows);

  // Does 1 and 2 for `update` where given (may be null) and 3 for `next` (may be empty):
  // z (next.size(), width) = bias (width) + next x w.
  void run(FirstLayer& layer, const UpdateBatch* update, std::span<const Row> next,
           const float* bias, float* z);

 private:
  // Several tiles' pixels of a batch, copied together.
  static constexpr std::size_t kStageTiles = 8, kStageStride = kStageTiles * kTile + 64;

  void run_part(std::size_t part, FirstLayer& layer, const UpdateBatch* update,
                std::span<const Row> next);

  const Kernels& kernels_;
  ThreadPool& pool_;
  TilePlan plan_;
  std::size_t width_, max_rows_;
  AlignedBuffer<float> partial_;  // (parts, max_rows, width)
  AlignedBuffer<float> x_;        // (parts, 2, max_rows, kTile): two batches' inputs of one tile
  AlignedBuffer<std::uint8_t>
      staged_;  // (parts, 2, max_rows, kStageStride): their bytes, some tiles
};

}  // namespace bioptic::kernel
