#include "bioptic/train/normaliser.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/random.h"
#include "bioptic/train/image_maps.h"

namespace bioptic {
namespace {

constexpr std::size_t kHeight = 6, kWidth = 5, kPlane = kHeight * kWidth;
using Bytes = std::vector<std::uint8_t>;

// What both engines do with a pixel.
float input(const PixelMap& map, std::uint8_t p) {
  return std::fma(map.scale, static_cast<float>(map.table != nullptr ? map.table[p] : p),
                  map.offset);
}

// The mean and the standard deviation (divisor n) by two passes over the values.
std::pair<double, double> two_pass(const Bytes& values) {
  const double n = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const std::uint8_t v : values) mean += v / n;
  for (const std::uint8_t v : values) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / n)};
}

class NormaliserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("bioptic-normaliser-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    RandomStream random(5, "pixels");
    for (int i = 0; i < 12; ++i) {
      Bytes pixels(3 * kPlane);
      const auto base = random.below(120), spread = 2 + random.below(130);
      for (std::size_t p = 0; p < pixels.size(); ++p) {
        const bool constant = p / kPlane == 2;  // the third channel never changes
        pixels[p] = static_cast<std::uint8_t>(constant ? 40 : base + random.below(spread));
      }
      images_.push_back(pixels);
    }
    images_[3].assign(3 * kPlane, 200);  // an image of one grey value
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Dataset write(const std::string& name, const std::vector<Bytes>& images) const {
    DatasetInfo info;
    info.channels = 3;
    info.height = static_cast<int>(kHeight);
    info.width = static_cast<int>(kWidth);
    info.classes = {"a", "b"};
    info.preprocessing = info.provenance = "{}";
    DatasetWriter writer(folder_ / name, info);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::string source = std::to_string(i);
      writer.add(std::span<const std::uint8_t>(images[i]),
                 {{}, source, static_cast<std::int64_t>(i % 2), "train", ""});
    }
    writer.finish();
    return Dataset::open(folder_ / name);
  }
  // All pixels of one channel of those images.
  Bytes channel(const std::vector<std::uint32_t>& rows, std::size_t c) const {
    Bytes values;
    for (const std::uint32_t row : rows) {
      values.insert(values.end(), &images_[row][c * kPlane], &images_[row][c * kPlane] + kPlane);
    }
    return values;
  }

  std::filesystem::path folder_;
  std::vector<Bytes> images_;
  const std::vector<std::uint32_t> train_ = {0, 1, 2, 4, 7, 8};
};

TEST_F(NormaliserTest, PixelIsDividedBy255) {
  const Dataset data = write("data", images_);
  const Normaliser normaliser = Normaliser::fit({}, data, train_);
  EXPECT_EQ(normaliser.fitted(), "{}");
  const NormalisedImages images(data, normaliser, train_);
  for (std::size_t c = 0; c < 3; ++c) {
    const PixelMap& map = images.row(1).maps[c];
    EXPECT_EQ(map.scale, 1.0F / 255);
    EXPECT_EQ(map.offset, 0);
    EXPECT_EQ(map.table, nullptr);
  }
  EXPECT_EQ(images.row(1).pixels, data.image8(1).data());
}

TEST_F(NormaliserTest, TrainingMeanAndSpread) {
  const Dataset data = write("data", images_);
  const Normaliser normaliser =
      Normaliser::fit({NormalisationKind::training, 0.01, 8}, data, train_);
  const NormalisedImages images(data, normaliser, train_);
  for (std::size_t c = 0; c < 2; ++c) {
    const auto [mean, sd] = two_pass(channel(train_, c));
    const PixelMap& map = images.row(0).maps[c];
    for (int p = 0; p < 256; ++p) {
      // Scale and offset are rounded once each, to 2^-24 of their size.
      const double bound = (p + mean) / sd * std::ldexp(1.0, -23);
      EXPECT_NEAR(static_cast<double>(input(map, static_cast<std::uint8_t>(p))), (p - mean) / sd,
                  bound);
    }
  }
  // As torchvision's Normalize of p / 255 would be with a spread of 1.
  const PixelMap& constant = images.row(0).maps[2];
  EXPECT_NEAR(static_cast<double>(input(constant, 40)), 0, std::ldexp(1.0, -27));  // the offset's
  EXPECT_NEAR(static_cast<double>(input(constant, 255)), (255 - 40) / 255.0, 1e-6);
}

TEST_F(NormaliserTest, EachImageByItself) {
  const Dataset data = write("data", images_);
  const Normaliser normaliser = Normaliser::fit({NormalisationKind::image, 0.01, 8}, data, train_);
  EXPECT_EQ(normaliser.fitted(), "{}");
  std::vector<std::uint32_t> all(images_.size());
  std::iota(all.begin(), all.end(), 0);
  const NormalisedImages images(data, normaliser, all);
  for (const std::uint32_t row : all) {
    const auto [mean, sd] = two_pass(images_[row]);
    double sum = 0, squares = 0;
    for (std::size_t p = 0; p < 3 * kPlane; ++p) {
      const auto x = static_cast<double>(input(images.row(row).maps[p / kPlane], images_[row][p]));
      if (row == 3) {
        EXPECT_EQ(x, 0);
      } else {
        EXPECT_NEAR(x, (images_[row][p] - mean) / sd, 1e-4);
      }
      sum += x;
      squares += x * x;
    }
    EXPECT_NEAR(sum / (3 * kPlane), 0, 1e-4);
    EXPECT_NEAR(squares / (3 * kPlane), row == 3 ? 0 : 1, 1e-4);
  }
}

// One pixel of a large image that differs by one: the spread would be below 1 / sqrt(N), which is
// then taken, as in TensorFlow.
TEST_F(NormaliserTest, SmallestSpreadOfAnImage) {
  const Normaliser normaliser({NormalisationKind::image, 0.01, 8}, 1, "{}");
  Bytes pixels(64 * 64, 100);
  pixels[7] = 101;
  PixelMap map;
  normaliser.fit_image(pixels, std::span(&map, 1), {});
  EXPECT_FLOAT_EQ(map.scale, 64);
  EXPECT_NEAR(static_cast<double>(input(map, 101)), 64 * (1 - 1.0 / 4096), 1e-3);
}

TEST_F(NormaliserTest, HistogramsAreWithinHalfAGreyLevelOfScikitImage) {
  const auto golden = nlohmann::json::parse(read_file("tests/golden/normalisation.json"));
  std::size_t pixels_seen = 0;
  for (const auto& one : golden.at("matching")) {
    const auto text = [&](const char* key) {
      Bytes bytes;
      const std::string hex = one.at(key);
      for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
      }
      return bytes;
    };
    const auto channels = one.at("shape").at(0).get<std::size_t>();
    const Normaliser normaliser({NormalisationKind::histogram, 0.01, 8}, channels,
                                nlohmann::json{{"counts", one.at("counts")}}.dump());
    const Bytes pixels = text("pixels"), matched = text("matched");
    std::vector<PixelMap> maps(channels);
    std::vector<GreyTable> tables(channels);
    normaliser.fit_image(pixels, maps, tables);
    const std::size_t plane = pixels.size() / channels;
    for (std::size_t p = 0; p < pixels.size(); ++p) {
      ASSERT_EQ(maps[p / plane].table, tables[p / plane].data());
      EXPECT_EQ(tables[p / plane][pixels[p]], matched[p]) << one.at("name") << " pixel " << p;
    }
    pixels_seen += pixels.size();
  }
  EXPECT_GT(pixels_seen, 5000U);
}

// What other images hold cannot be seen in what was fitted.
TEST_F(NormaliserTest, OnlyTrainingImagesAreRead) {
  const Dataset data = write("data", images_);
  std::vector<Bytes> changed = images_;
  for (std::uint32_t row = 0; row < changed.size(); ++row) {
    if (std::find(train_.begin(), train_.end(), row) != train_.end()) continue;
    for (auto& p : changed[row]) p = static_cast<std::uint8_t>(255 - p);
  }
  const Dataset others = write("others", changed);
  changed[train_[0]][0] ^= 1U;
  const Dataset leaked = write("leaked", changed);
  for (const NormalisationKind kind : {NormalisationKind::training, NormalisationKind::histogram}) {
    const NormalisationSpec spec{kind, 0.01, 8};
    const std::string fitted = Normaliser::fit(spec, data, train_).fitted();
    EXPECT_EQ(Normaliser::fit(spec, others, train_).fitted(), fitted) << name_of(kind);
    EXPECT_NE(Normaliser::fit(spec, leaked, train_).fitted(), fitted) << name_of(kind);
  }
}

// Stored and read again, every image has the same inputs, bit for bit; also where tables lie in a
// file.
TEST_F(NormaliserTest, ReadBackGivesTheSameMaps) {
  const Dataset data = write("data", images_);
  for (const NormalisationKind kind : {NormalisationKind::pixel, NormalisationKind::training,
                                       NormalisationKind::image, NormalisationKind::histogram}) {
    const NormalisationSpec spec{kind, 0.01, 8};
    const Normaliser fitted = Normaliser::fit(spec, data, train_);
    const Normaliser again(spec, 3, fitted.fitted());
    EXPECT_EQ(again.fitted(), fitted.fitted());
    constexpr std::size_t kMany = 5000;
    ImageMaps few(fitted, images_.size()), many(again, kMany);
    for (std::size_t i = 0; i < kMany; ++i) many.set(i, images_[i % images_.size()]);
    for (std::size_t i = 0; i < images_.size(); ++i) {
      few.set(i, images_[i]);
      for (const std::size_t j : {i, i + images_.size(), kMany / 12 * 12 - 12 + i}) {
        for (std::size_t p = 0; p < 3 * kPlane; ++p) {
          const std::uint8_t pixel = images_[i][p];
          EXPECT_EQ(input(few.of(i)[p / kPlane], pixel), input(many.of(j)[p / kPlane], pixel));
        }
      }
    }
  }
}

TEST_F(NormaliserTest, DamagedFitsAreRefused) {
  const auto refused = [](NormalisationKind kind, std::size_t channels, const std::string& text) {
    EXPECT_THROW(Normaliser({kind, 0.01, 8}, channels, text), InputError) << text;
  };
  const auto training = NormalisationKind::training, histogram = NormalisationKind::histogram;
  refused(training, 1, "{}");
  refused(training, 1, "no json");
  refused(training, 1, R"({"mean":[1,2],"sd":[1,2]})");
  refused(training, 1, R"({"mean":[1],"sd":[-1]})");
  refused(training, 1, R"({"mean":[1],"sd":["x"]})");
  refused(histogram, 1, R"({"counts":[[1,2,3]]})");
  refused(histogram, 2, nlohmann::json{{"counts", {GreyCounts{1}}}}.dump());
  refused(histogram, 1, nlohmann::json{{"counts", {GreyCounts{}}}}.dump());
  refused(histogram, 1, nlohmann::json{{"counts", {GreyCounts{~std::uint64_t{0}}}}}.dump());
}

TEST(GreyCountsTest, CountsEveryPixel) {
  Bytes pixels(1003);
  RandomStream random(1, "greys");
  GreyCounts expected{};
  for (auto& p : pixels) {
    p = static_cast<std::uint8_t>(random.below(256));
    ++expected[p];
  }
  GreyCounts counts{};
  count_greys(pixels, counts);
  EXPECT_EQ(counts, expected);
}

}  // namespace
}  // namespace bioptic
