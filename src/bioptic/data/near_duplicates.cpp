#include "bioptic/data/near_duplicates.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "bioptic/data/hash_index.h"

namespace bioptic {
namespace {

constexpr int kBase = 128;     // images are kept at 128 x 128 while they are compared
constexpr int kHashSide = 16;  // of the hash
constexpr int kHashReach = 2, kDetailReach = 3;  // of the local mean, in pixels to each side
constexpr int kHashBits = kHashSide * kHashSide;
constexpr int kMostBits = 28;                  // of 256 that may differ between candidates
constexpr double kCoarse = 0.85, kFine = 0.7;  // least correlations at 32 and at 64 before the fit
constexpr double kHopeful = 0.9;               // and at 64 after its first, widest step

// Shares of the width and height cut from the four sides.
struct Cut {
  double left = 0, right = 0, top = 0, bottom = 0;
};
constexpr std::array<Cut, 11> kCuts = {{{0, 0, 0, 0},
                                        {.015, .015, .015, .015},
                                        {.03, .03, .03, .03},
                                        {.03, 0, .03, 0},
                                        {.03, 0, 0, .03},
                                        {0, .03, .03, 0},
                                        {0, .03, 0, .03},
                                        {.03, 0, .015, .015},
                                        {0, .03, .015, .015},
                                        {.015, .015, .03, 0},
                                        {.015, .015, 0, .03}}};

using Plane = std::vector<float>;  // side x side
using Hash = Hash256;
static_assert(kHashBits == 256 && kMostBits <= HashIndex::kMostBits);

std::size_t index_of(int y, int x, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
         static_cast<std::size_t>(x);
}

// Sums of all pixels above and to the left, (side + 1) x (side + 1).
std::vector<double> summed(const Plane& plane, int side) {
  const int n = side + 1;
  std::vector<double> sums(static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
  for (int y = 0; y < side; ++y) {
    double row = 0;
    for (int x = 0; x < side; ++x) {
      row += static_cast<double>(plane[index_of(y, x, side)]);
      sums[index_of(y + 1, x + 1, n)] = sums[index_of(y, x + 1, n)] + row;
    }
  }
  return sums;
}

// The mean grey value of the image at kBase x kBase.
template <typename T>
Plane base_plane(std::span<const T> pixels, int channels, int height, int width) {
  Plane out(std::size_t{kBase} * kBase);
  const auto plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  for (int y = 0; y < kBase; ++y) {
    const int y0 = y * height / kBase, y1 = std::max(y0 + 1, (y + 1) * height / kBase);
    for (int x = 0; x < kBase; ++x) {
      const int x0 = x * width / kBase, x1 = std::max(x0 + 1, (x + 1) * width / kBase);
      double sum = 0;
      for (int c = 0; c < channels; ++c) {
        for (int yy = y0; yy < y1; ++yy) {
          for (int xx = x0; xx < x1; ++xx) {
            sum += pixels[static_cast<std::size_t>(c) * plane +
                          static_cast<std::size_t>(yy) * static_cast<std::size_t>(width) +
                          static_cast<std::size_t>(xx)];
          }
        }
      }
      out[index_of(y, x, kBase)] = static_cast<float>(sum / (channels * (y1 - y0) * (x1 - x0)));
    }
  }
  return out;
}

Plane base_plane(const Dataset& dataset, std::size_t row) {
  const DatasetInfo& info = dataset.info();
  return info.dtype == PixelType::uint8
             ? base_plane(dataset.image8(row), info.channels, info.height, info.width)
             : base_plane(dataset.image16(row), info.channels, info.height, info.width);
}

// An image that any cut of it can be taken from quickly: the integral of the base plane, read
// between its points by straight lines.
class Picture {
 public:
  explicit Picture(const Plane& base) : sums_(summed(base, kBase)) {}

  // Area average of what the cut leaves, side x side.
  Plane shrunk(const Cut& cut, int side) const {
    const double width = kBase * (1 - cut.left - cut.right) / side;
    const double height = kBase * (1 - cut.top - cut.bottom) / side;
    std::vector<Place> xs(static_cast<std::size_t>(side) + 1);
    for (int x = 0; x <= side; ++x)
      xs[static_cast<std::size_t>(x)] = place(kBase * cut.left + x * width);
    Plane out(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
    std::vector<double> above(xs.size()), below(xs.size());
    for (int y = 0; y <= side; ++y) {
      const Place at = place(kBase * cut.top + y * height);
      for (std::size_t x = 0; x < xs.size(); ++x) below[x] = integral(xs[x], at);
      for (std::size_t x = 0; y > 0 && x + 1 < xs.size(); ++x) {
        const double sum = below[x + 1] - below[x] - above[x + 1] + above[x];
        out[static_cast<std::size_t>(y - 1) * static_cast<std::size_t>(side) + x] =
            static_cast<float>(sum / (width * height));
      }
      std::swap(above, below);
    }
    return out;
  }

 private:
  struct Place {
    int index = 0;
    double part = 0;
  };
  static Place place(double position) {
    const int index = std::clamp(static_cast<int>(position), 0, kBase - 1);
    return {index, position - index};
  }
  double integral(Place x, Place y) const {
    constexpr int n = kBase + 1;
    const std::size_t at = index_of(y.index, x.index, n);
    const double a = sums_[at] + (sums_[at + 1] - sums_[at]) * x.part;
    const double b = sums_[at + n] + (sums_[at + n + 1] - sums_[at + n]) * x.part;
    return a + (b - a) * y.part;
  }
  std::vector<double> sums_;
};

// The plane minus the mean of its surrounding (edges repeated).
Plane details(const Plane& plane, int side, int reach) {
  // Mean over rows, then over columns (the box of a repeated edge is the product of the two), each
  // by a sum that moves on: one value in, one out.
  const auto n = static_cast<std::size_t>(side);
  const auto inside = [side](int i) {
    return static_cast<std::size_t>(std::clamp(i, 0, side - 1));
  };
  Plane rows(plane.size()), out(plane.size());
  const double share = 1.0 / ((2 * reach + 1) * (2 * reach + 1));
  for (std::size_t y = 0; y < n; ++y) {
    const float* row = &plane[y * n];
    double sum = 0;
    for (int d = -reach; d <= reach; ++d) sum += static_cast<double>(row[inside(d)]);
    for (int x = 0; x < side; ++x) {
      rows[y * n + static_cast<std::size_t>(x)] = static_cast<float>(sum);
      sum += static_cast<double>(row[inside(x + reach + 1)]) -
             static_cast<double>(row[inside(x - reach)]);
    }
  }
  std::vector<double> sums(n, 0);
  for (int d = -reach; d <= reach; ++d) {
    for (std::size_t x = 0; x < n; ++x) sums[x] += static_cast<double>(rows[inside(d) * n + x]);
  }
  for (int y = 0; y < side; ++y) {
    const float* in = &rows[inside(y + reach + 1) * n];
    const float* gone = &rows[inside(y - reach) * n];
    for (std::size_t x = 0; x < n; ++x) {
      const std::size_t at = static_cast<std::size_t>(y) * n + x;
      out[at] = plane[at] - static_cast<float>(sums[x] * share);
      sums[x] += static_cast<double>(in[x]) - static_cast<double>(gone[x]);
    }
  }
  return out;
}

// Mean 0 and length 1; all 0 where there is no detail.
Plane normalised(Plane plane) {
  double mean = 0, squares = 0;
  for (const float v : plane) mean += static_cast<double>(v);
  mean /= static_cast<double>(plane.size());
  for (float& v : plane) {
    v -= static_cast<float>(mean);
    squares += static_cast<double>(v) * static_cast<double>(v);
  }
  const float scale = squares > 1e-12 ? static_cast<float>(1 / std::sqrt(squares)) : 0;
  for (float& v : plane) v *= scale;
  return plane;
}

float product(const Plane& a, const Plane& b) {
  std::array<float, 8> sums{};  // eight at once, so that the compiler can use its vectors
  for (std::size_t i = 0; i < a.size(); i += sums.size()) {
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += a[i + k] * b[i + k];
  }
  float sum = 0;
  for (const float s : sums) sum += s;
  return sum;
}

Hash hash_of(const Picture& picture, const Cut& cut) {
  const Plane plane = details(picture.shrunk(cut, kHashSide), kHashSide, kHashReach);
  Hash hash{};
  for (std::size_t i = 0; i < plane.size(); ++i) {
    if (plane[i] > 0) hash[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  return hash;
}

Plane coarse(const Picture& picture, const Cut& cut) {
  return normalised(details(picture.shrunk(cut, 32), 32, kHashReach));
}
Plane fine(const Picture& picture, const Cut& cut) {
  return normalised(details(picture.shrunk(cut, 64), 64, kDetailReach));
}

// The largest correlation of `cut from picture` with `target` near the given cut: one side at a
// time, in steps that halve.
double fitted(const Picture& picture, Cut cut, const Plane& target, double found) {
  for (double step = 0.0075; step > 0.0015; step /= 2) {
    for (double Cut::*side : {&Cut::left, &Cut::right, &Cut::top, &Cut::bottom}) {
      for (const double change : {step, -step}) {
        Cut tried = cut;
        tried.*side = std::max(0.0, tried.*side + change);
        const double likeness = static_cast<double>(product(fine(picture, tried), target));
        if (likeness > found) {
          found = likeness;
          cut = tried;
        }
      }
    }
    if (found < kHopeful) break;  // another picture: no finer step makes it this one
  }
  return found;
}

struct Candidate {
  std::uint32_t other = 0;
  std::size_t cut = 0;
  double likeness = 0;  // at 32 x 32, then at 64 x 64
};

// The pairs in which `row` is the one with more of the picture (or as much).
std::vector<NearPair> pairs_of(const Dataset& dataset, std::uint32_t row, const HashIndex& index,
                               const std::vector<Plane>& planes) {
  const Picture picture(base_plane(dataset, row));
  std::map<std::uint32_t, Candidate> best;
  for (std::size_t k = 0; k < kCuts.size(); ++k) {
    Plane plane;
    for (const std::uint32_t other : index.within(hash_of(picture, kCuts[k]), kMostBits)) {
      if (other == row || (k == 0 && other < row)) continue;  // whole pictures: once a pair
      if (plane.empty()) plane = coarse(picture, kCuts[k]);
      const double likeness = static_cast<double>(product(plane, planes[other]));
      Candidate& candidate = best[other];
      if (likeness > candidate.likeness) candidate = {other, k, likeness};
    }
  }
  std::vector<Candidate> candidates;
  for (const auto& [other, candidate] : best) {
    if (candidate.likeness >= kCoarse) candidates.push_back(candidate);
  }
  const std::size_t kept = std::min(candidates.size(), kNearPairsPerImage);
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates.end(), [](const Candidate& a, const Candidate& b) {
                      return std::pair(-a.likeness, a.other) < std::pair(-b.likeness, b.other);
                    });
  candidates.resize(kept);
  std::vector<NearPair> pairs;
  for (const Candidate& candidate : candidates) {
    const Plane target = fine(Picture(base_plane(dataset, candidate.other)), {});
    const Cut& cut = kCuts[candidate.cut];
    double likeness = static_cast<double>(product(fine(picture, cut), target));
    if (likeness < kFine) continue;
    if (likeness < 0.995) likeness = fitted(picture, cut, target, likeness);
    if (likeness < kNearLikeness) continue;
    pairs.push_back({std::min(row, candidate.other), std::max(row, candidate.other), likeness});
  }
  return pairs;
}

}  // namespace

std::vector<NearPair> find_near_duplicates(const Dataset& dataset, const std::vector<char>& skip,
                                           ThreadPool& pool, const Progress& progress) {
  const std::size_t n = dataset.size();
  std::vector<Hash> hashes(n);
  std::vector<Plane> planes(n);
  pool.run(n, [&](std::size_t row) {
    if (skip[row]) return;
    const Picture picture(base_plane(dataset, row));
    hashes[row] = hash_of(picture, {});
    planes[row] = coarse(picture, {});
  });
  const HashIndex index(hashes, skip);
  std::vector<std::vector<NearPair>> found(n);
  const std::size_t block = 64 * static_cast<std::size_t>(pool.threads());
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t count = std::min(block, n - begin);
    pool.run(count, [&](std::size_t k) {
      const auto row = static_cast<std::uint32_t>(begin + k);
      if (!skip[row]) found[row] = pairs_of(dataset, row, index, planes);
    });
    if (progress) progress(begin + count, n);
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> best;  // a pair may be found both ways
  for (const auto& pairs : found) {
    for (const NearPair& pair : pairs) {
      double& likeness = best[{pair.first, pair.second}];
      likeness = std::max(likeness, pair.likeness);
    }
  }
  std::vector<NearPair> pairs;
  for (const auto& [rows, likeness] : best) pairs.push_back({rows.first, rows.second, likeness});
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const NearPair& a, const NearPair& b) { return a.likeness > b.likeness; });
  return pairs;
}

}  // namespace bioptic
