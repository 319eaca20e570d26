#include "bioptic/study/training_images.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <numeric>
#include <span>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/random.h"
#include "bioptic/data/image.h"
#include "bioptic/study/pixel_hashes.h"

namespace bioptic {
namespace {

constexpr int kSide = 32;
using Pixels = std::vector<std::uint8_t>;

double trait(const ImageTraits& image, Trait which) {
  return image.values[static_cast<std::size_t>(which)];
}

// A bright disc on a dark ground, with noise: as its kind, no two alike.
Pixels disc(RandomStream& random) {
  const double radius = 6 + 0.01 * static_cast<double>(random.below(400));
  const auto ground = static_cast<int>(30 + random.below(30));
  Pixels pixels;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const bool inside = std::hypot(x - 15.5, y - 15.5) < radius;
      pixels.push_back(static_cast<std::uint8_t>(ground + (inside ? 120 : 0) +
                                                 static_cast<int>(random.below(9))));
    }
  }
  return pixels;
}

ImageTraits grey_traits(const Pixels& pixels) { return traits_of(pixels, 1, kSide, kSide); }

std::vector<std::uint32_t> first(std::size_t n) {
  std::vector<std::uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

class Discs : public ::testing::Test {
 protected:
  Discs() {
    for (int i = 0; i < 600; ++i) images.push_back(grey_traits(disc(random)));
  }
  TrainingImages training(std::size_t n) const { return {images, first(n), 1}; }
  // The joined reasons.
  static std::string reasons(const TrainingImages& training, const Pixels& pixels) {
    std::string all;
    for (const std::string& reason : training.unlike(grey_traits(pixels))) all += reason + "\n";
    return all;
  }
  RandomStream random{1, "discs"};
  std::vector<ImageTraits> images;
};

TEST(ImageTraits, AreWhatTheirNamesSay) {
  // 2 x 4, three channels: red 0 255 0 255 ..., green all 10, blue all 20.
  const Pixels pixels = {0,  255, 0,  255, 0,  255, 0,  255, 10, 10, 10, 10,
                         10, 10,  10, 10,  20, 20,  20, 20,  20, 20, 20, 20};
  const ImageTraits t = traits_of(pixels, 3, 2, 4);
  EXPECT_DOUBLE_EQ(trait(t, Trait::mean), (4 * 255 + 80 + 160) / 24.0);
  EXPECT_DOUBLE_EQ(trait(t, Trait::black), 4 / 24.0);
  EXPECT_DOUBLE_EQ(trait(t, Trait::white), 4 / 24.0);
  EXPECT_DOUBLE_EQ(trait(t, Trait::steps), 255 / 3.0);  // six steps of 255 among 18
  EXPECT_DOUBLE_EQ(trait(t, Trait::colour), (20 + 245) / 2.0);
  double square = 0;
  for (const std::uint8_t p : pixels) square += std::pow(p - trait(t, Trait::mean), 2);
  EXPECT_NEAR(trait(t, Trait::contrast), std::sqrt(square / 24), 1e-9);
  EXPECT_EQ(t.layout, pixels) << "no larger than the layout's areas";
  EXPECT_EQ(t.hash, pixel_hash(pixels));
}

TEST(ImageTraits, LayoutIsRoundedMeansOfAreas) {
  Pixels pixels(kSide * kSide, 7);
  pixels[0] = 255;  // of the 16 pixels of the first area: (15 x 7 + 255) / 16 = 22.5
  Pixels expected(kLayoutSide * kLayoutSide, 7);
  expected[0] = 23;
  EXPECT_EQ(grey_traits(pixels).layout, expected);
}

TEST_F(Discs, AreLikeDiscs) {
  for (const std::size_t n : {20U, 60U, 300U}) {
    const TrainingImages trained = training(n);
    EXPECT_EQ(trained.images(), n);
    int alarms = 0;
    for (std::size_t i = 300; i < 600; ++i) alarms += trained.unlike(images[i]).empty() ? 0 : 1;
    EXPECT_LE(alarms, 3) << n << " images";
  }
}

TEST_F(Discs, OtherImagesAreUnlikeThem) {
  const TrainingImages trained = training(300);
  Pixels inverted = disc(random), noise, shifted = disc(random), dark = disc(random);
  for (std::uint8_t& p : inverted) p = static_cast<std::uint8_t>(255 - p);
  for (int i = 0; i < kSide * kSide; ++i) {
    noise.push_back(static_cast<std::uint8_t>(random.below(256)));
  }
  std::rotate(shifted.begin(), shifted.begin() + 16, shifted.end());  // half its width
  for (std::uint8_t& p : dark) p = static_cast<std::uint8_t>(p / 5);
  const std::string of_noise = reasons(trained, noise);
  EXPECT_NE(of_noise.find("neighbouring"), std::string::npos) << of_noise;
  EXPECT_NE(of_noise.find("likeness"), std::string::npos) << of_noise;
  EXPECT_NE(reasons(trained, inverted).find("likeness"), std::string::npos);
  EXPECT_NE(reasons(trained, shifted).find("likeness"), std::string::npos);
  EXPECT_NE(reasons(trained, dark).find("mean grey value"), std::string::npos);
  const std::string white = reasons(trained, Pixels(kSide * kSide, 255));
  EXPECT_NE(white.find("white pixels 100 %, in training 0 to 0 %"), std::string::npos) << white;
  EXPECT_NE(white.find("standard deviation of the grey values 0.0"), std::string::npos) << white;
}

TEST_F(Discs, OneStrayInAThousandWidensNothing) {
  std::vector<ImageTraits> many;
  for (int i = 0; i < 1000; ++i) many.push_back(images[static_cast<std::size_t>(i % 600)]);
  many[17] = grey_traits(Pixels(kSide * kSide, 255));
  const TrainingImages trained(many, first(many.size()), 1);
  EXPECT_FALSE(trained.unlike(many[17]).empty());
}

TEST_F(Discs, AreRemembered) {
  const TrainingImages trained = training(300);
  const TrainingImages read(trained.text());
  EXPECT_EQ(read.text(), trained.text());
  EXPECT_EQ(read.images(), 300U);
  const ImageTraits white = grey_traits(Pixels(kSide * kSide, 255));
  EXPECT_EQ(read.unlike(white), trained.unlike(white));
  for (const char* bad : {"{}", "[]", R"({"images":0,"channels":1,"ranges":{},"layout":[1]})"}) {
    EXPECT_ANY_THROW(TrainingImages{std::string(bad)}) << bad;
  }
}

// A picture without colour is unlike coloured ones, whatever its grey values are.
TEST(TrainingImages, ColourCounts) {
  RandomStream random(1, "colour");
  std::vector<ImageTraits> images;
  const auto image = [&](int blue) {
    Pixels pixels;
    for (int i = 0; i < 3 * 64; ++i) {
      pixels.push_back(static_cast<std::uint8_t>(random.below(100) +
                                                 (i / 64 == 2 ? static_cast<unsigned>(blue) : 0U)));
    }
    return pixels;
  };
  for (int i = 0; i < 200; ++i) images.push_back(traits_of(image(100), 3, 8, 8));
  const TrainingImages trained(images, first(200), 3);
  Pixels grey = image(0);
  std::copy_n(grey.begin(), 64, grey.begin() + 64);
  std::copy_n(grey.begin(), 64, grey.begin() + 128);
  std::string all;
  for (const std::string& reason : trained.unlike(traits_of(grey, 3, 8, 8))) all += reason + "\n";
  EXPECT_NE(all.find("colours 0.0"), std::string::npos) << all;
  EXPECT_TRUE(trained.unlike(traits_of(image(100), 3, 8, 8)).empty());
}

TEST(TrainingSource, KnowsItsShapesAndColours) {
  SourceExtent extent;
  extent.add({300, 200, 0});
  extent.add({400, 400, 30});
  const TrainingSource known(extent, 1, 224, 224), unknown({}, 1, 224, 224),
      rgb(extent, 3, 224, 224);
  const auto first_of = [](const std::vector<std::string>& reasons) {
    return reasons.empty() ? std::string() : reasons.front();
  };
  EXPECT_EQ(first_of(known.unlike(SourceShape{320, 240, 31})), "");
  EXPECT_EQ(first_of(known.unlike(SourceShape{320, 240, 60})),
            "in colour (its colours differ by 60.0 grey values, in training 0.0 to 30.0)");
  EXPECT_EQ(first_of(rgb.unlike(SourceShape{320, 240, 60})), "") << "it sees its colours";
  EXPECT_EQ(first_of(known.unlike(SourceShape{640, 320, 0})),
            "width / height 2.00, in training 1.00 to 1.50");
  EXPECT_EQ(first_of(known.unlike(SourceShape{100, 100, 0})),
            "100 x 100 pixels, enlarged 2.2 times to 224 x 224");
  EXPECT_EQ(first_of(known.unlike(SourceShape{205, 205, 0})), "")
      << "nearly the 224 / 200 of training";
  // Where nothing is known, what is far from any use.
  EXPECT_EQ(first_of(unknown.unlike(SourceShape{640, 120, 3})), "");
  EXPECT_NE(first_of(unknown.unlike(SourceShape{90, 90, 3})), "");
  EXPECT_EQ(first_of(unknown.unlike(SourceShape{640, 480, 41.5})),
            "in colour (its colours differ by 41.5 grey values)");
  SourceExtent wide;
  wide.add({900, 300, 80});
  EXPECT_EQ(known.unlike(wide).size(), 2U);
}

// Real images, whose test split comes from the same hospital: an alarm is false.
TEST(TrainingImages, AreSilentAboutRealXraysAndNotAboutOthers) {
  const char* set = std::getenv("BIOPTIC_XRAY_DIR");
  const std::filesystem::path folder = set != nullptr ? set : "../shared/data/chest_xray";
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "the chest X-rays are not there; set BIOPTIC_XRAY_DIR to run this test";
  }
  std::vector<ImageTraits> images, inverted;
  std::size_t trained = 0;
  for (const char* split : {"train", "test"}) {
    for (const char* name : {"NORMAL", "PNEUMONIA"}) {
      for (const auto& file : std::filesystem::directory_iterator(folder / split / name)) {
        Image image = to_grey(decode_image(file.path(), 1 << 20, Wanted::grey));
        Pixels pixels(image.pixels.begin(), image.pixels.end());
        images.push_back(traits_of(pixels, 1, image.height, image.width));
        if (split == std::string("train")) continue;
        for (std::uint8_t& p : pixels) p = static_cast<std::uint8_t>(255 - p);
        inverted.push_back(traits_of(pixels, 1, image.height, image.width));
      }
    }
    if (trained == 0) trained = images.size();
  }
  const auto alarms = [](const TrainingImages& training, std::span<const ImageTraits> of) {
    return static_cast<double>(std::count_if(
               of.begin(), of.end(),
               [&](const ImageTraits& image) { return !training.unlike(image).empty(); })) /
           static_cast<double>(of.size());
  };
  const TrainingImages all(images, first(trained), 1);
  EXPECT_LE(alarms(all, std::span(images).subspan(trained)), 0.01);
  EXPECT_GE(alarms(all, inverted), 0.99);
  // Any images, held against any others: what the comment on the rule promises.
  RandomStream random(1, "draws");
  const std::map<std::size_t, double> most = {
      {15, 0.01}, {30, 0.01}, {100, 0.01}, {400, 0.005}, {1600, 0.005}};
  for (const auto& [n, bound] : most) {
    double rate = 0, found = 0;
    constexpr int kDraws = 20;
    for (int draw = 0; draw < kDraws; ++draw) {
      random.shuffle(std::span(images));
      const TrainingImages drawn(images, first(n), 1);
      rate += alarms(drawn, std::span(images).subspan(n, 400)) / kDraws;
      found += alarms(drawn, inverted) / kDraws;
    }
    EXPECT_LE(rate, bound) << n << " training images";
    if (n >= 100) {
      EXPECT_GE(found, 0.9) << n << " training images";
    }
    RecordProperty("alarms_of_" + std::to_string(n), fmt::format("{} {}", rate, found));
  }
}

TEST(PixelHashes, FindWhatIsInThem) {
  const PixelHashes hashes(std::vector<std::uint64_t>{3, 0xfedcba9876543210, 3, 0});
  EXPECT_EQ(hashes.size(), 3U);
  EXPECT_EQ(hashes.text(), "00000000000000000000000000000003fedcba9876543210");
  const PixelHashes read = PixelHashes::read(hashes.text());
  EXPECT_TRUE(read.contains(0) && read.contains(3) && read.contains(0xfedcba9876543210));
  EXPECT_FALSE(read.contains(1));
  EXPECT_FALSE(PixelHashes::read("").contains(0));
  for (const char* bad : {"0", "000000000000000g", "-000000000000001", "0x00000000000001"}) {
    EXPECT_THROW(PixelHashes::read(bad), InputError) << bad;
  }
}

}  // namespace
}  // namespace bioptic
