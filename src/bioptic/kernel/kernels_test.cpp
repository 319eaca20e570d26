#include "bioptic/kernel/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "bioptic/base/aligned.h"
#include "bioptic/base/error.h"
#include "bioptic/base/flush_to_zero.h"
#include "bioptic/base/random.h"

namespace bioptic::kernel {
namespace {

AlignedBuffer<float> random_floats(std::size_t n, const std::string& name, float scale = 1) {
  AlignedBuffer<float> values(n);
  RandomStream stream(1, name);
  for (std::size_t i = 0; i < n; ++i) values[i] = scale * (2 * stream.uniform_float() - 1);
  return values;
}

bool same_bits(const AlignedBuffer<float>& a, const AlignedBuffer<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class EveryIsa : public ::testing::TestWithParam<std::string> {
 protected:
  const Kernels& kernels() const { return choose_kernels(GetParam()); }
};

std::vector<std::string> isas() {
  std::vector<std::string> names;
  for (const Kernels* k : available_kernels()) names.emplace_back(k->isa);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Isa, EveryIsa, ::testing::ValuesIn(isas()),
                         [](const auto& isa) { return isa.param; });

TEST_P(EveryIsa, IsTheOneThatRan) {
  // lanes comes from the compiled code itself, not from the name that was asked for
  const std::size_t lanes = kernels().lanes;
  const std::string isa = GetParam();
  EXPECT_EQ(isa, kernels().isa);
  EXPECT_EQ(lanes, isa == "avx512" ? 16U
                   : isa == "avx2" ? 8U
                   : isa == "neon" ? 4U
                                   : 1U)
      << kernels().target;
}

TEST_P(EveryIsa, LoadsPixelsLikeTheScalarForm) {
  constexpr std::size_t kStride = 80;
  std::vector<std::uint8_t> pixels(5 * kStride);
  std::vector<std::uint8_t> table(256);
  RandomStream stream(2, "pixels");
  for (auto& p : pixels) p = static_cast<std::uint8_t>(stream.below(256));
  for (auto& t : table) t = static_cast<std::uint8_t>(stream.below(256));
  const std::vector<PixelMap> maps = {
      {1.0F / 255, 0, nullptr}, {0.013F, -1.7F, nullptr}, {0.02F, -0.3F, table.data()}};
  const std::vector<Row> rows(5, Row{nullptr, maps.data()});
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (const std::size_t count : {1, 7, 16, 63, 64}) {
      AlignedBuffer<float> a(5 * kTile), b(5 * kTile);
      const std::uint8_t* const from = pixels.data() + channel;
      kernels().load_pixels(rows.data(), 5, channel, from, kStride, count, a.data());
      kScalar.load_pixels(rows.data(), 5, channel, from, kStride, count, b.data());
      EXPECT_TRUE(same_bits(a, b)) << channel << " " << count;
    }
  }
}

TEST_P(EveryIsa, AddsPartsLikeTheScalarForm) {
  for (const std::size_t n : {16, 48, 128}) {
    const auto values = random_floats(32 * 200, "values");
    auto a = random_floats(n, "sum"), b = random_floats(n, "sum");
    kernels().add_parts(values.data(), 200 / kLanes * kLanes, 32, n, a.data());
    kScalar.add_parts(values.data(), 200 / kLanes * kLanes, 32, n, b.data());
    EXPECT_TRUE(same_bits(a, b)) << n;
  }
}

TEST_P(EveryIsa, MultipliesLikeTheScalarForm) {
  for (const std::size_t batch : {1, 2, 3, 5, 6, 7, 10, 30, 31}) {
    for (const std::size_t in : {1, 3, 64}) {
      for (const std::size_t out : {16, 32, 48, 64, 80, 112}) {
        const auto x = random_floats(batch * 64, "x"), w = random_floats(in * out, "w");
        auto a = random_floats(batch * out, "z"), b = random_floats(batch * out, "z");
        kernels().multiply(x.data(), 64, batch, w.data(), in, out, a.data(), out, in * out);
        kScalar.multiply(x.data(), 64, batch, w.data(), in, out, b.data(), out, 0);
        EXPECT_TRUE(same_bits(a, b)) << batch << " " << in << " " << out;
      }
    }
  }
}

TEST_P(EveryIsa, UpdatesLikeTheScalarForm) {
  const FlushToZero flush;
  OptimizerStep adam;
  adam.beta1_rest = 0.1F;
  adam.beta2_rest = 0.001F;
  adam.root = 130.0F;
  adam.floor = 1e-6F;
  OptimizerStep decayed = adam;  // Adam's weight decay
  decayed.decay = 0.01F;
  OptimizerStep shrunk = adam;  // AdamW's
  shrunk.shrink = 0.999F;
  OptimizerStep sgd;
  sgd.kind = OptimizerStep::Kind::sgd;
  sgd.lr = 0.1F;
  sgd.decay = 0.02F;
  OptimizerStep momentum = sgd;
  momentum.kind = OptimizerStep::Kind::sgd_momentum;
  momentum.momentum = 0.9F;
  momentum.damp = 0.8F;
  OptimizerStep first = momentum;
  first.first = true;
  OptimizerStep nesterov = momentum;
  nesterov.nesterov = true;
  int number = 0;
  for (const OptimizerStep& step : {adam, decayed, shrunk, sgd, momentum, first, nesterov}) {
    ++number;
    for (const std::size_t batch : {1, 3, 6, 8, 16, 29, 65, 130}) {
      for (const std::size_t in : {1, 5, 27, 32, 64}) {
        for (const std::size_t out : {16, 64, 112}) {
          const auto x = random_floats(batch * 64, "x"), delta = random_floats(batch * out, "d");
          AlignedBuffer<float> w[2], m[2], v[2];
          for (int k = 0; k < 2; ++k) {
            w[k] = random_floats(in * out, "w");
            m[k] = random_floats(in * out, "m");
            v[k] = random_floats(in * out, "v");
            for (std::size_t i = 0; i < v[k].size(); ++i) v[k][i] = std::fabs(v[k][i]);
            v[k][0] = 0;
            m[k][1] = 0x1p-126F;  // about to be flushed where the gradient is 0
          }
          kernels().update(x.data(), 64, batch, delta.data(), out, in, out, step, w[0].data(),
                           m[0].data(), v[0].data(), in * out);
          kScalar.update(x.data(), 64, batch, delta.data(), out, in, out, step, w[1].data(),
                         m[1].data(), v[1].data(), 0);
          EXPECT_TRUE(same_bits(w[0], w[1])) << number << " " << batch << " " << in << " " << out;
          EXPECT_TRUE(same_bits(m[0], m[1])) << number << " " << batch << " " << in << " " << out;
          EXPECT_TRUE(same_bits(v[0], v[1])) << number << " " << batch << " " << in << " " << out;
        }
      }
    }
  }
}

TEST_P(EveryIsa, ALearningRateOfZeroKeepsTheWeights) {
  OptimizerStep adam;
  adam.beta1_rest = 0.1F;
  adam.beta2_rest = 0.001F;
  adam.root = 0;
  adam.floor = std::numeric_limits<float>::infinity();
  const auto x = random_floats(kTile, "x"), delta = random_floats(16, "d");
  auto w = random_floats(16, "w"), m = random_floats(16, "m");
  const auto before = random_floats(16, "w");
  AlignedBuffer<float> v(16);
  kernels().update(x.data(), kTile, 1, delta.data(), 16, 1, 16, adam, w.data(), m.data(), v.data(),
                   0);
  EXPECT_TRUE(same_bits(w, before));
}

TEST_P(EveryIsa, DeadUnitsLeaveNoSubnormalNumbers) {
  const FlushToZero flush;
  OptimizerStep adam;
  adam.beta1_rest = 0.1F;
  adam.beta2_rest = 0.001F;
  adam.root = 1000.0F;
  adam.floor = 1e-5F;
  const AlignedBuffer<float> x(kTile), delta(16);  // no gradient at all
  auto w = random_floats(16, "w"), m = random_floats(16, "m", 1e-3F);
  AlignedBuffer<float> v(16);
  for (std::size_t i = 0; i < 16; ++i) v[i] = 1e-6F;
  for (int step = 0; step < 3000; ++step) {
    kernels().update(x.data(), kTile, 1, delta.data(), 16, 1, 16, adam, w.data(), m.data(),
                     v.data(), 0);
    for (std::size_t i = 0; i < 16; ++i) {
      ASSERT_NE(std::fpclassify(m[i]), FP_SUBNORMAL) << step;
      ASSERT_TRUE(std::isfinite(w[i]));
    }
  }
  EXPECT_EQ(m[3], 0);
}

TEST(ChooseKernels, UnknownNameIsAnErrorThatNamesTheKnown) {
  try {
    choose_kernels("avx3");
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("avx"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace bioptic::kernel
