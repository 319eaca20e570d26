#include "bioptic/data/phantom.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "bioptic/base/parallel.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

PhantomSpec small_spec() {
  PhantomSpec spec;
  spec.train = 60;
  spec.test = 30;
  spec.size = 48;
  return spec;
}

TEST(Phantom, SameBytesOnAnyNumberOfThreadsAndAsRecorded) {
  const TestFolder folder;
  const std::string one = make_phantom(small_spec(), folder / "one", 1).content_hash;
  EXPECT_EQ(make_phantom(small_spec(), folder / "three", 3).content_hash, one);
  // Changes only together with kPhantomVersion: cached phantoms and trial ids rest on it.
  EXPECT_EQ(one, "d8329ace80b11768f3e82a5bf7d002ec6d364166926356cde10f0630fd606eb7");
}

TEST(Phantom, PatientsStayOnTheirSideAndClassesAreEven) {
  const TestFolder folder;
  make_phantom(small_spec(), folder / "p", 2);
  const Dataset dataset = Dataset::open(folder / "p", true);
  std::map<std::string, std::set<std::string>> splits_of;
  std::map<std::string, std::map<std::int64_t, int>> images;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const ImageRecord record = dataset.record(row);
    splits_of[std::string(record.group)].emplace(record.split);
    ++images[std::string(record.split)][record.label];
  }
  for (const auto& [patient, splits] : splits_of) EXPECT_EQ(splits.size(), 1U) << patient;
  EXPECT_EQ(images["train"][0], 30);
  EXPECT_EQ(images["train"][1], 30);
  EXPECT_EQ(images["test"][1], 15);
  EXPECT_LT(splits_of.size(), 90U) << "some patients own several images";
}

TEST(Phantom, TheShiftMovesTheTestSplitOnly) {
  const TestFolder folder;
  make_phantom(small_spec(), folder / "shifted", 2);
  PhantomSpec same = small_spec();
  same.shift = 0;
  make_phantom(same, folder / "same", 2);
  const Dataset a = Dataset::open(folder / "shifted"), b = Dataset::open(folder / "same");
  std::size_t different = 0;
  for (std::size_t row = 0; row < a.size(); ++row) {
    const bool equal = std::ranges::equal(a.image8(row), b.image8(row));
    if (a.record(row).split == "train") {
      EXPECT_TRUE(equal) << row;
    } else {
      different += equal ? 0U : 1U;
    }
  }
  EXPECT_EQ(different, 30U);
}

// ------------------------------------------------------------------------------------- shortcuts

double auroc_of_bytes(const std::vector<std::array<std::uint32_t, 256>>& counts) {
  double area = 0, below = 0, n[2] = {0, 0};
  for (std::size_t v = 0; v < 256; ++v) {
    const double zero = counts[0][v], one = counts[1][v];
    area += one * (below + zero / 2);
    below += zero;
    n[0] += zero;
    n[1] += one;
  }
  const double a = area / (n[0] * n[1]);
  return std::max(a, 1 - a);
}

// What trivial features of the training images tell of the label, at the number that the studies
// use.
struct Shortcuts {
  double mean = 0.5, pixel = 0.5;  // AUROC of the mean intensity, of the best single pixel
  double nearest = 0;  // share that the nearest neighbour of another patient is right in
};

// The AUROC of a value from 0 to 255 that each of the first n images has.
template <typename Value>
double auroc_of(const Dataset& dataset, std::size_t n, const Value& value) {
  std::vector<std::array<std::uint32_t, 256>> counts(2);
  for (auto& c : counts) c.fill(0);
  for (std::size_t i = 0; i < n; ++i) {
    ++counts[static_cast<std::size_t>(dataset.label(i))][static_cast<std::size_t>(value(i))];
  }
  return auroc_of_bytes(counts);
}

// On 16 x 16 area means of the first n images.
double nearest_neighbour(const Dataset& dataset, std::size_t n, std::size_t side) {
  constexpr std::size_t kSide = 16;
  const std::size_t block = side / kSide;
  std::vector<std::array<float, kSide * kSide>> coarse(n);
  std::vector<std::string> patients(n);
  for (std::size_t i = 0; i < n; ++i) {
    coarse[i].fill(0);
    const auto image = dataset.image8(i);
    for (std::size_t p = 0; p < side * side; ++p) {
      coarse[i][p / side / block * kSide + p % side / block] += static_cast<float>(image[p]);
    }
    patients[i] = dataset.record(i).group;
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < n; ++i) {
    float nearest = std::numeric_limits<float>::infinity();
    std::int64_t label = -1;
    for (std::size_t j = 0; j < n; ++j) {
      if (patients[i] == patients[j]) continue;
      float distance = 0;
      for (std::size_t k = 0; k < kSide * kSide; ++k) {
        const float d = coarse[i][k] - coarse[j][k];
        distance += d * d;
      }
      if (distance < nearest) {
        nearest = distance;
        label = dataset.label(j);
      }
    }
    right += label == dataset.label(i) ? 1U : 0U;
  }
  return static_cast<double>(right) / static_cast<double>(n);
}

Shortcuts shortcuts(int size, std::uint64_t seed) {
  const TestFolder folder;
  PhantomSpec spec;
  spec.test = 4;
  spec.size = size;
  spec.seed = seed;
  make_phantom(spec, folder / "p", available_processors());
  const Dataset dataset = Dataset::open(folder / "p");
  const std::size_t pixels = dataset.pixels_per_image();
  Shortcuts found;
  found.mean = auroc_of(dataset, spec.train, [&](std::size_t i) {
    double sum = 0;
    for (const auto p : dataset.image8(i)) sum += p;
    return sum / static_cast<double>(pixels);
  });
  for (std::size_t p = 0; p < pixels; ++p) {
    found.pixel = std::max(found.pixel, auroc_of(dataset, spec.train, [&](std::size_t i) {
                             return dataset.image8(i)[p];
                           }));
  }
  found.nearest = nearest_neighbour(dataset, spec.train, static_cast<std::size_t>(size));
  return found;
}

void expect_weak(const Shortcuts& found) {
  EXPECT_LT(found.mean, 0.65) << "mean intensity";
  EXPECT_LT(found.pixel, 0.75) << "best single pixel";
  EXPECT_LT(found.nearest, 0.90) << "nearest neighbour";
}

// No trivial feature carries the label.
TEST(PhantomShortcuts, MeanPixelAndNearestNeighbourStayWeak) { expect_weak(shortcuts(256, 1)); }

TEST(PhantomShortcuts, StayWeakAt64Pixels) { expect_weak(shortcuts(64, 1)); }

}  // namespace
}  // namespace bioptic
