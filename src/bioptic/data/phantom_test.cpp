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

// No trivial feature of the training images carries the label, at the size and number that the
// studies use.
TEST(PhantomShortcuts, MeanPixelAndNearestNeighbourStayWeak) {
  const TestFolder folder;
  PhantomSpec spec;
  spec.test = 4;
  make_phantom(spec, folder / "p", available_processors());
  const Dataset dataset = Dataset::open(folder / "p");
  const std::size_t n = spec.train, pixels = dataset.pixels_per_image();

  // Mean intensity, in 256 steps of its own range.
  std::vector<double> means(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto image = dataset.image8(i);
    double sum = 0;
    for (const auto p : image) sum += p;
    means[i] = sum / static_cast<double>(pixels);
  }
  std::vector<std::array<std::uint32_t, 256>> counts(2);
  for (std::size_t i = 0; i < n; ++i) {
    ++counts[static_cast<std::size_t>(dataset.label(i))][static_cast<std::size_t>(means[i])];
  }
  EXPECT_LT(auroc_of_bytes(counts), 0.65) << "mean intensity";

  // The best single pixel.
  double best = 0;
  for (std::size_t p = 0; p < pixels; ++p) {
    for (auto& c : counts) c.fill(0);
    for (std::size_t i = 0; i < n; ++i) {
      ++counts[static_cast<std::size_t>(dataset.label(i))][dataset.image8(i)[p]];
    }
    best = std::max(best, auroc_of_bytes(counts));
  }
  EXPECT_LT(best, 0.75) << "best single pixel";

  // The nearest neighbour of another patient on 16 x 16 area means.
  constexpr std::size_t kSide = 16;
  const std::size_t block = static_cast<std::size_t>(spec.size) / kSide;
  std::vector<std::array<float, kSide * kSide>> coarse(n);
  std::vector<std::string> patients(n);
  for (std::size_t i = 0; i < n; ++i) {
    coarse[i].fill(0);
    const auto image = dataset.image8(i);
    for (std::size_t p = 0; p < pixels; ++p) {
      const std::size_t y = p / static_cast<std::size_t>(spec.size),
                        x = p % static_cast<std::size_t>(spec.size);
      coarse[i][y / block * kSide + x / block] += static_cast<float>(image[p]);
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
  EXPECT_LT(static_cast<double>(right) / static_cast<double>(n), 0.90) << "nearest neighbour";
  RecordProperty("best_pixel", std::to_string(best));
}

}  // namespace
}  // namespace bioptic
