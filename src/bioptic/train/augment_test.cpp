#include "bioptic/train/augment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/portable_math.h"
#include "bioptic/base/random.h"
#include "bioptic/base/sha256.h"
#include "bioptic/train/trial.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json golden() {
  std::ifstream file("tests/golden/augment.json");
  return json::parse(file);
}

AugmentSpec spec_of(const json& j) {
  AugmentSpec spec;
  spec.shift = j.at("shift");
  spec.rotate = j.at("rotate");
  spec.scale = j.at("scale");
  spec.flip = j.at("flip");
  spec.brightness = j.at("brightness");
  spec.contrast = j.at("contrast");
  spec.noise = j.at("noise");
  return spec;
}

// Everything at once, on images of a size that no vector divides.
AugmentSpec everything() {
  AugmentSpec spec;
  spec.shift = 0.1;
  spec.rotate = 20;
  spec.scale = 0.2;
  spec.flip = true;
  spec.brightness = 0.1;
  spec.contrast = 0.2;
  spec.noise = 6;
  return spec;
}

// ---------------------------------------------------------------------------- against SciPy

TEST(AugmentGolden, DrawsAreThoseOfTheNamedStreams) {
  const json document = golden();
  for (const json& c : document.at("cases")) {
    const json& shape = document.at("sources").at(c.at("source")).at("shape");
    const AugmentDraw draw =
        draw_augmentation(spec_of(c.at("spec")), c.at("seed"),
                          {c.at("row"), c.at("epoch"), c.at("copy")}, shape.at(1), shape.at(2));
    const json& want = c.at("draw");
    EXPECT_DOUBLE_EQ(draw.right, want.at("right")) << c.at("name");
    EXPECT_DOUBLE_EQ(draw.down, want.at("down")) << c.at("name");
    EXPECT_DOUBLE_EQ(draw.angle, want.at("angle")) << c.at("name");
    EXPECT_DOUBLE_EQ(draw.scale, want.at("scale")) << c.at("name");
    EXPECT_EQ(draw.flip, want.at("flip").get<bool>()) << c.at("name");
    EXPECT_DOUBLE_EQ(draw.brightness, want.at("brightness")) << c.at("name");
    EXPECT_DOUBLE_EQ(draw.contrast, want.at("contrast")) << c.at("name");
  }
}

// Every pixel is SciPy's value rounded, where SciPy's is not within `doubt` of a tie.  A position
// is made of float32 numbers below 64, of which each rounds by at most 2^-19: product, sum, step
// (times 23 pixels) and start leave it within 2^-16 pixel.  Neighbours differ by up to 255 levels
// in either direction and contrast doubles that at most: 2 * 2 * 255 * 2^-16 = 0.016 levels; the
// interpolation's own roundings are below 0.001, the golden's 0.0005.  Noise is rounded to 1/64
// level: 0.0079.
TEST(AugmentGolden, PixelsAreSciPys) {
  const json document = golden();
  std::set<std::string> names;
  for (const json& c : document.at("cases")) {
    const json& source = document.at("sources").at(c.at("source"));
    const std::size_t channels = source.at("shape").at(0), height = source.at("shape").at(1),
                      width = source.at("shape").at(2);
    const std::vector<std::uint8_t> pixels = source.at("pixels");
    const AugmentSpec spec = spec_of(c.at("spec"));
    Augmenter augmenter(spec, channels, height, width, c.at("seed"));
    std::vector<std::uint8_t> out(pixels.size());
    augmenter.apply(augmenter.draw({c.at("row"), c.at("epoch"), c.at("copy")}), pixels.data(),
                    out.data());
    const std::vector<double> milli = c.at("milli");
    ASSERT_EQ(milli.size(), out.size());
    const double doubt = 0.018 + (spec.noise > 0 ? 0.5 / kernel::kNoiseUnits : 0);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double value = std::clamp(milli[i] / 1000, 0.0, 255.0);
      ASSERT_NEAR(out[i], value, 0.5 + doubt) << c.at("name") << " pixel " << i;
    }
    names.insert(c.at("name"));
  }
  EXPECT_GE(names.size(), 18U);
}

TEST(AugmentGolden, NoiseTableHoldsTheQuantiles) {
  const json table = golden().at("noise");
  const kernel::NoiseTable noise = noise_table(20);
  for (std::size_t i = 0; i < table.at("index").size(); ++i) {
    const double units = table.at("quantile").at(i).get<double>() * 20 * kernel::kNoiseUnits;
    EXPECT_NEAR(noise[table.at("index").at(i).get<std::size_t>()], units, 0.5 + 1e-6) << i;
  }
  for (std::size_t k = 0; k < noise.size(); ++k) {
    ASSERT_EQ(noise[k], -noise[noise.size() - 1 - k]);
    ASSERT_GE(noise[k], noise[k == 0 ? 0 : k - 1]);
  }
  EXPECT_LT(noise_table(64).back(), 32767);  // the largest that is allowed does not overflow
}

// ---------------------------------------------------------------------------- draws

// Kolmogorov's distance of values from the uniform distribution on [low, high].
double distance_from_uniform(std::vector<double> values, double low, double high) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double p = (values[i] - low) / (high - low);
    distance =
        std::max({distance, static_cast<double>(i + 1) / n - p, p - static_cast<double>(i) / n});
  }
  return distance;
}

TEST(AugmentDraws, AreUniformWithinTheirRangesAndIndependentOfEachOther) {
  const AugmentSpec spec = everything();
  constexpr std::size_t kDraws = 4000;
  std::vector<std::vector<double>> values(7);
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    const AugmentDraw d =
        draw_augmentation(spec, 7, {i % 500, 1 + static_cast<int>(i / 500), 0}, 100, 200);
    const double all[] = {d.right,      d.down,     d.angle,           d.scale,
                          d.brightness, d.contrast, d.flip ? 1.0 : 0.0};
    for (std::size_t k = 0; k < 7; ++k) values[k].push_back(all[k]);
  }
  const double degree = portable::kPi / 180;
  const double ranges[][2] = {{-20, 20},  {-10, 10},     {-20 * degree, 20 * degree},
                              {0.8, 1.2}, {-25.5, 25.5}, {0.8, 1.2}};
  // Each exceeds this with probability 2 exp(-2 * 2.3^2) = 5e-5.
  const double limit = 2.3 / std::sqrt(static_cast<double>(kDraws));
  for (std::size_t k = 0; k < 6; ++k) {
    const auto [low, high] = std::minmax_element(values[k].begin(), values[k].end());
    EXPECT_GE(*low, ranges[k][0]) << k;
    EXPECT_LE(*high, ranges[k][1]) << k;
    EXPECT_LT(distance_from_uniform(values[k], ranges[k][0], ranges[k][1]), limit) << k;
  }
  double flips = 0;
  for (const double f : values[6]) flips += f;
  EXPECT_NEAR(flips, kDraws / 2.0, 4 * std::sqrt(kDraws) / 2);
  for (std::size_t a = 0; a < 7; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
      for (std::size_t i = 0; i < kDraws; ++i)
        ma += values[a][i] / kDraws, mb += values[b][i] / kDraws;
      for (std::size_t i = 0; i < kDraws; ++i) {
        const double da = values[a][i] - ma, db = values[b][i] - mb;
        aa += da * da, bb += db * db, ab += da * db;
      }
      EXPECT_LT(std::abs(ab) / std::sqrt(aa * bb), 4 / std::sqrt(static_cast<double>(kDraws)))
          << a << " and " << b;
    }
  }
}

// Arms that differ in one setting share the draws of the others.
TEST(AugmentDraws, DoNotDependOnOtherSettings) {
  AugmentSpec all = everything(), rotation;
  rotation.rotate = all.rotate;
  const AugmentedImage image{11, 2, 0};
  EXPECT_EQ(draw_augmentation(all, 1, image, 9, 9).angle,
            draw_augmentation(rotation, 1, image, 9, 9).angle);
  EXPECT_EQ(draw_augmentation(rotation, 1, image, 9, 9).right, 0);
  EXPECT_EQ(draw_augmentation(rotation, 1, image, 9, 9).scale, 1);
  EXPECT_FALSE(draw_augmentation(rotation, 1, image, 9, 9).flip);
}

TEST(AugmentDraws, DifferByImageEpochCopyAndSeed) {
  std::set<double> angles;
  std::set<std::array<std::uint32_t, 2>> keys;
  for (const std::uint64_t seed : {0, 1}) {
    for (const std::uint32_t row : {3, 4}) {
      for (const int epoch : {1, 2}) {
        for (const std::uint32_t copy : {0, 1}) {
          const AugmentDraw d = draw_augmentation(everything(), seed, {row, epoch, copy}, 8, 8);
          angles.insert(d.angle);
          keys.insert(d.noise_key);
        }
      }
    }
  }
  EXPECT_EQ(angles.size(), 16U);
  EXPECT_EQ(keys.size(), 16U);
}

// ---------------------------------------------------------------------------- what they do

constexpr std::size_t kSide = 21;

std::vector<std::uint8_t> random_image(std::size_t channels = 1) {
  std::vector<std::uint8_t> pixels(channels * kSide * kSide);
  RandomStream stream(2, "image");
  for (auto& p : pixels) p = static_cast<std::uint8_t>(stream.below(256));
  return pixels;
}

std::vector<std::uint8_t> applied(const AugmentDraw& draw, const std::vector<std::uint8_t>& pixels,
                                  const AugmentSpec& spec = {}) {
  Augmenter augmenter(spec, pixels.size() / (kSide * kSide), kSide, kSide, 0);
  std::vector<std::uint8_t> out(pixels.size());
  augmenter.apply(draw, pixels.data(), out.data());
  return out;
}

TEST(AugmentPixels, WithoutADrawStayAsTheyAre) {
  EXPECT_EQ(applied({}, random_image(3)), random_image(3));
}

TEST(AugmentPixels, MoveInTheDirectionsThatTheNamesSay) {
  const auto pixels = random_image();
  const auto at = [&](const std::vector<std::uint8_t>& image, std::size_t y, std::size_t x) {
    return image[y * kSide + x];
  };
  AugmentDraw flipped, moved, turned;
  flipped.flip = true;
  moved.right = 3;
  moved.down = 2;
  turned.angle = portable::kPi / 2;  // clockwise: what was on top is on the right
  const auto f = applied(flipped, pixels), m = applied(moved, pixels), t = applied(turned, pixels);
  for (std::size_t y = 0; y < kSide; ++y) {
    for (std::size_t x = 0; x < kSide; ++x) {
      ASSERT_EQ(at(f, y, x), at(pixels, y, kSide - 1 - x));
      // What comes in from outside is the nearest pixel of the edge.
      ASSERT_EQ(at(m, y, x), at(pixels, y < 2 ? 0 : y - 2, x < 3 ? 0 : x - 3));
      ASSERT_NEAR(at(t, y, x), at(pixels, kSide - 1 - x, y), 1);
    }
  }
}

TEST(AugmentPixels, BrightenAboutTheMiddleGrey) {
  std::vector<std::uint8_t> ramp(kSide * kSide);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint8_t>(i % 256);
  AugmentDraw draw;
  draw.contrast = 1.5;
  draw.brightness = -20;
  const auto out = applied(draw, ramp);
  for (std::size_t i = 0; i < ramp.size(); ++i) {
    const double value = std::clamp(1.5 * (ramp[i] - 127.5) + 127.5 - 20, 0.0, 255.0);
    EXPECT_NEAR(out[i], value, 0.5 + 1e-3) << i;
  }
}

// Grey 128 with noise of 10 levels, rounded: a normal distribution in steps of one level.
TEST(AugmentPixels, NoiseIsNormalWithTheStandardDeviationAskedFor) {
  AugmentSpec spec;
  spec.noise = 10;
  std::vector<double> values;
  const std::vector<std::uint8_t> grey(3 * kSide * kSide, 128);
  for (std::uint32_t i = 0; i < 60; ++i) {
    for (const std::uint8_t p :
         applied(draw_augmentation(spec, 1, {i, 1, 0}, kSide, kSide), grey, spec)) {
      values.push_back(p);
    }
  }
  const auto n = static_cast<double>(values.size());  // 79,380
  double mean = 0, square = 0, fourth = 0;
  for (const double v : values) mean += v / n;
  for (const double v : values) square += (v - mean) * (v - mean) / n;
  for (const double v : values) fourth += std::pow(v - mean, 4) / n;
  EXPECT_NEAR(mean, 128, 4 * 10 / std::sqrt(n));
  // Rounding adds 1/12; the variance's own standard error is sqrt(2 / n) of it.
  EXPECT_NEAR(square, 100 + 1.0 / 12, 4 * 100 * std::sqrt(2 / n));
  EXPECT_NEAR(fourth / (square * square), 3, 4 * std::sqrt(24 / n));
  std::vector<double> counts(256);
  for (const double v : values) counts[static_cast<std::size_t>(v)] += 1;
  double below = 0;
  for (std::size_t g = 0; g < 256; ++g) {
    below += counts[g];
    const double z = (static_cast<double>(g) + 0.5 - 128) / 10;
    const double p = 0.5 + 0.5 * portable::erf(z / std::sqrt(2.0));
    EXPECT_NEAR(below / n, p, 2.3 / std::sqrt(n)) << g;
  }
}

TEST(AugmentPixels, NoiseDiffersByRowAndChannel) {
  AugmentSpec spec;
  spec.noise = 10;
  const auto out = applied(draw_augmentation(spec, 1, {0, 1, 0}, kSide, kSide),
                           std::vector<std::uint8_t>(3 * kSide * kSide, 128), spec);
  std::set<std::vector<std::uint8_t>> rows;
  for (std::size_t r = 0; r < 3 * kSide; ++r) {
    rows.emplace(out.begin() + static_cast<std::ptrdiff_t>(r * kSide),
                 out.begin() + static_cast<std::ptrdiff_t>((r + 1) * kSide));
  }
  EXPECT_EQ(rows.size(), 3 * kSide);
}

TEST(Augmenter, RefusesImagesThatAreTooLarge) {
  EXPECT_THROW(Augmenter(everything(), 1, 64, kMaxAugmentedSide + 1, 0), InputError);
}

// The same pixels wherever an image stands in a batch, on any number of threads and instruction
// set.
TEST(AugmenterThreads, AndPlacesAndInstructionSetsChangeNothing) {
  constexpr std::size_t kImages = 13;
  const std::size_t size = 3 * kSide * kSide;
  std::vector<std::uint8_t> pixels(kImages * size);
  RandomStream stream(6, "batch");
  for (auto& p : pixels) p = static_cast<std::uint8_t>(stream.below(256));
  std::vector<const std::uint8_t*> rows;
  std::vector<AugmentedImage> images;
  for (std::size_t i = 0; i < kImages; ++i) {
    rows.push_back(&pixels[i * size]);
    images.push_back({static_cast<std::uint32_t>(100 + i), 4, 0});
  }
  Augmenter one(everything(), 3, kSide, kSide, 5, "portable");
  std::vector<std::uint8_t> expected(pixels.size());
  for (std::size_t i = 0; i < kImages; ++i) {
    one.apply(one.draw(images[i]), rows[i], &expected[i * size]);
  }
  EXPECT_NE(expected, pixels);
  for (const kernel::AugmentKernels* kernels : kernel::available_augment_kernels()) {
    for (const int threads : {1, 2, 3, 4}) {
      ThreadPool pool(threads);
      Augmenter augmenter(everything(), 3, kSide, kSide, 5, kernels->isa);
      std::vector<std::uint8_t> out(pixels.size());
      augmenter.apply(rows, images, pool, out.data());
      EXPECT_EQ(out, expected) << kernels->isa << ", " << threads << " threads";
    }
  }
  std::reverse(rows.begin(), rows.end());
  std::reverse(images.begin(), images.end());
  ThreadPool pool(2);
  std::vector<std::uint8_t> out(pixels.size());
  one.apply(rows, images, pool, out.data());
  for (std::size_t i = 0; i < kImages; ++i) {
    EXPECT_TRUE(
        std::equal(&out[i * size], &out[i * size] + size, &expected[(kImages - 1 - i) * size]));
  }
}

// ---------------------------------------------------------------------------- a whole trial

class AugmentedTrial : public ::testing::Test {
 protected:
  void SetUp() override {
    DatasetInfo info;
    info.height = info.width = 19;
    info.classes = {"no", "yes"};
    info.preprocessing = info.provenance = "{}";
    DatasetWriter writer(folder_, info);
    RandomStream random(1, "pixels");
    for (int i = 0; i < 60; ++i) {
      std::vector<std::uint8_t> pixels(19 * 19);
      for (auto& p : pixels) p = static_cast<std::uint8_t>(random.below(200) + (i % 2 ? 50U : 0U));
      writer.add(std::span<const std::uint8_t>(pixels),
                 {{}, "image" + std::to_string(i), i % 2, i < 44 ? "train" : "test", ""});
    }
    writer.finish();
  }
  void TearDown() override { fs::remove_all(folder_); }

  struct Outcome {
    std::string weights, seen;  // SHA-256; `seen`: of all training pixels in their order
    std::vector<double> history;
    std::vector<float> logits;
    bool operator==(const Outcome&) const = default;
  };

  Outcome train(const std::string& engine, int threads, const AugmentSpec& augment,
                int batch_size = 8, const std::string& isa = "") const {
    const Dataset dataset = Dataset::open(folder_);
    TrialSpec spec;
    spec.engine = engine;
    spec.train.augment = augment;
    spec.train.model.hidden = {5};
    spec.train.epochs = 3;
    spec.train.batch_size = batch_size;
    spec.train.train_eval = true;
    const Groups groups = find_groups(dataset, "");
    const SplitPlan plan = plan_splits(dataset, groups, spec.split);
    Outcome outcome;
    std::string pixels;
    TrialControl control;
    control.threads = threads;
    control.isa = isa;
    control.on_step = [&](std::int64_t, const Step& step, double,
                          std::span<const std::uint32_t> rows) {
      EXPECT_EQ(step.rows.size(), rows.size());
      for (const Row& row : step.rows) {
        pixels.append(reinterpret_cast<const char*>(row.pixels), 19 * 19);
      }
    };
    const TrialResult result = run_trial(spec, dataset, groups, plan, control);
    outcome.weights = result.weights_sha256;
    outcome.seen = sha256_hex(pixels);
    for (const EpochRecord& e : result.history) {
      outcome.history.insert(outcome.history.end(), {e.train_loss, e.val_loss, *e.train_eval_loss});
    }
    for (const SplitPredictions& p : result.predictions) {
      outcome.logits.insert(outcome.logits.end(), p.logits.begin(), p.logits.end());
    }
    return outcome;
  }

  fs::path folder_ = fs::temp_directory_path() /
                     temporary_beside("augment" + std::to_string(::getpid())).filename();
};

TEST_F(AugmentedTrial, HasTheSameBitsOnAnyNumberOfThreads) {
  const Outcome one = train("fused", 1, everything());
  for (const int threads : {2, 3, 4})
    EXPECT_EQ(train("fused", threads, everything()), one) << threads;
  EXPECT_EQ(train("fused", 2, everything(), 8, "portable"), one);
}

TEST_F(AugmentedTrial, ShowsEveryEngineTheSamePixels) {
  const Outcome fused = train("fused", 2, everything()),
                reference = train("reference", 1, everything());
  EXPECT_EQ(fused.seen, reference.seen);
  EXPECT_NE(fused.seen, train("fused", 1, {}).seen);
}

// The order of an epoch does not depend on the batch size, so the pixels do not either.
TEST_F(AugmentedTrial, ShowsEveryBatchSizeTheSamePixels) {
  EXPECT_EQ(train("fused", 2, everything(), 5).seen, train("fused", 1, everything(), 35).seen);
}

// With a learning rate of 0 the weights stay, so what is evaluated shows which pixels were read.
TEST_F(AugmentedTrial, LeavesWhatIsEvaluatedAlone) {
  const Dataset dataset = Dataset::open(folder_);
  TrialSpec spec;
  spec.train.model.hidden = {5};
  spec.train.optimizer.lr = 0;
  spec.train.epochs = 2;
  spec.train.batch_size = 8;
  spec.train.train_eval = true;
  const Groups groups = find_groups(dataset, "");
  const SplitPlan plan = plan_splits(dataset, groups, spec.split);
  const TrialResult plain = run_trial(spec, dataset, groups, plan, {});
  spec.train.augment = everything();
  const TrialResult augmented = run_trial(spec, dataset, groups, plan, {});
  ASSERT_EQ(plain.weights_sha256, augmented.weights_sha256);
  for (std::size_t e = 0; e < 2; ++e) {
    EXPECT_NE(plain.history[e].train_loss, augmented.history[e].train_loss);
    EXPECT_EQ(plain.history[e].val_loss, augmented.history[e].val_loss);
    EXPECT_EQ(plain.history[e].train_eval_loss, augmented.history[e].train_eval_loss);
  }
  for (std::size_t i = 0; i < plain.predictions.size(); ++i) {
    EXPECT_EQ(plain.predictions[i].logits, augmented.predictions[i].logits);
  }
}

}  // namespace
}  // namespace bioptic
