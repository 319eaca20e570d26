#include "bioptic/kernel/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/random.h"
#include "bioptic/kernel/kernels.h"

namespace bioptic::kernel {
namespace {

class EveryAugmentIsa : public ::testing::TestWithParam<std::string> {
 protected:
  const AugmentKernels& kernels() const { return choose_augment_kernels(GetParam()); }
};

std::vector<std::string> isas() {
  std::vector<std::string> names;
  for (const AugmentKernels* k : available_augment_kernels()) names.emplace_back(k->isa);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Isa, EveryAugmentIsa, ::testing::ValuesIn(isas()),
                         [](const auto& isa) { return isa.param; });

std::vector<std::uint8_t> random_pixels(std::size_t n) {
  std::vector<std::uint8_t> pixels(n);
  RandomStream stream(3, "pixels");
  for (auto& p : pixels) p = static_cast<std::uint8_t>(stream.below(256));
  return pixels;
}

NoiseTable random_table() {
  NoiseTable table;
  RandomStream stream(4, "table");
  for (auto& t : table)
    t = static_cast<std::int16_t>(static_cast<int>(stream.below(65536)) - 32768);
  return table;
}

// --isa means the same in both sets of kernels.
TEST(AugmentKernels, HaveTheNamesOfTheOtherKernels) {
  std::vector<std::string> names;
  for (const Kernels* k : available_kernels()) names.emplace_back(k->isa);
  EXPECT_EQ(isas(), names);
  EXPECT_THROW(choose_augment_kernels("avx"), InputError);
}

TEST_P(EveryAugmentIsa, MakesQuadsLikeThePlainForm) {
  for (const std::size_t height : {1, 2, 5}) {
    for (const std::size_t width : {1, 2, 7, 8, 9, 16, 17, 33, 64}) {
      const auto pixels = random_pixels(height * width);
      std::vector<std::uint32_t> a(height * width), b(height * width);
      kernels().make_quads(pixels.data(), height, width, a.data());
      kScalarAugment.make_quads(pixels.data(), height, width, b.data());
      EXPECT_EQ(a, b) << height << " x " << width;
    }
  }
}

TEST_P(EveryAugmentIsa, WarpsRowsLikeThePlainForm) {
  RandomStream stream(5, "maps");
  for (const std::size_t width : {1, 3, 7, 8, 15, 16, 17, 50, 256}) {
    const std::size_t height = 40;
    const auto pixels = random_pixels(height * width);
    std::vector<std::uint32_t> quads(height * width);
    kScalarAugment.make_quads(pixels.data(), height, width, quads.data());
    std::vector<std::int16_t> noise(width);
    for (auto& n : noise)
      n = static_cast<std::int16_t>(static_cast<int>(stream.below(40000)) - 20000);
    for (int round = 0; round < 40; ++round) {
      RowMap map;  // some leave the image on every side
      map.x0 = static_cast<float>(stream.uniform(-20, 60));
      map.y0 = static_cast<float>(stream.uniform(-20, 60));
      map.dx = static_cast<float>(stream.uniform(-2, 2));
      map.dy = static_cast<float>(stream.uniform(-1, 1));
      if (round == 0) map = {0, 1, 3, 0};  // whole pixels
      const Tone tone{static_cast<float>(stream.uniform(0, 2)),
                      static_cast<float>(stream.uniform(-300, 300))};
      for (const std::int16_t* added : {static_cast<const std::int16_t*>(nullptr),
                                        static_cast<const std::int16_t*>(noise.data())}) {
        std::vector<std::uint8_t> a(width + 1, 77), b(width + 1, 77);
        kernels().warp_row(quads.data(), height, width, map, tone, added, a.data());
        kScalarAugment.warp_row(quads.data(), height, width, map, tone, added, b.data());
        EXPECT_EQ(a, b) << width << " round " << round;
        EXPECT_EQ(a[width], 77) << "written beyond the row";
      }
    }
  }
}

// Rows that stay where they are have a form of their own with the same values.
TEST_P(EveryAugmentIsa, TonesRowsLikeRowsThatAreNotMoved) {
  RandomStream stream(6, "tones");
  for (const std::size_t width : {1, 5, 8, 13, 16, 17, 40, 256}) {
    const auto pixels = random_pixels(width);
    std::vector<std::uint32_t> quads(width);
    kScalarAugment.make_quads(pixels.data(), 1, width, quads.data());
    std::vector<std::int16_t> noise(width);
    for (auto& n : noise)
      n = static_cast<std::int16_t>(static_cast<int>(stream.below(4000)) - 2000);
    const Tone tone{static_cast<float>(stream.uniform(0, 2)),
                    static_cast<float>(stream.uniform(-100, 100))};
    for (const std::int16_t* added : {static_cast<const std::int16_t*>(nullptr),
                                      static_cast<const std::int16_t*>(noise.data())}) {
      std::vector<std::uint8_t> a(width + 1, 77), b(width + 1, 77);
      kernels().tone_row(pixels.data(), width, tone, added, a.data());
      kScalarAugment.warp_row(quads.data(), 1, width, {}, tone, added, b.data());
      EXPECT_EQ(a, b) << width;
    }
  }
}

// A tie goes to the even neighbour, as numpy.rint has it; and nothing wraps around.
TEST_P(EveryAugmentIsa, RoundsTiesToEvenAndStaysWithinBytes) {
  std::vector<std::uint8_t> pixels(32);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
  std::vector<std::uint32_t> quads(32);
  kScalarAugment.make_quads(pixels.data(), 1, 32, quads.data());
  std::vector<std::uint8_t> out(32);
  kernels().warp_row(quads.data(), 1, 32, {}, {1, 0.5F}, nullptr, out.data());
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(out[i], (i + 1) / 2 * 2) << i;
  kernels().warp_row(quads.data(), 1, 32, {}, {2, 1000}, nullptr, out.data());
  EXPECT_EQ(out, std::vector<std::uint8_t>(32, 255));
  kernels().warp_row(quads.data(), 1, 32, {}, {2, -1000}, nullptr, out.data());
  EXPECT_EQ(out, std::vector<std::uint8_t>(32, 0));
}

TEST_P(EveryAugmentIsa, DrawsNoiseFromTheStreamsWords) {
  const NoiseTable table = random_table();
  RandomStream stream(9, "noise");
  std::vector<std::int16_t> expected;
  for (int i = 0; i < 200; ++i) {
    const std::uint32_t word = stream.bits32();
    expected.push_back(table[word & 0xFFFF]);
    expected.push_back(table[word >> 16]);
  }
  const auto key = RandomStream(9, "noise").key();
  for (const std::size_t count : {1, 7, 8, 31, 64, 100, 376}) {
    for (const std::uint64_t block : {0, 1, 3}) {
      std::vector<std::int16_t> noise(count + 1, 7);
      kernels().draw_noise(key, block, table, count, noise.data());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(noise[i], expected[block * kNoisePerBlock + i])
            << count << " " << block << " " << i;
      }
      EXPECT_EQ(noise[count], 7);
    }
  }
  // Counters beyond 32 bits.
  std::vector<std::int16_t> a(200), b(200);
  kernels().draw_noise(key, 0xFFFFFFFD, table, 200, a.data());
  kScalarAugment.draw_noise(key, 0xFFFFFFFD, table, 200, b.data());
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace bioptic::kernel
