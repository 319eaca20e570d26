#include "bioptic/data/image.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "bioptic/data/resize.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

constexpr std::int64_t kMax = 1 << 28;

TEST(DecodeImage, PngOf8And16BitGreyAndColour) {
  const TestFolder folder;
  const auto grey = ramp<std::uint8_t>(5, 3, 1);
  write_png(folder / "g.png", 5, 3, 1, grey);
  const Image g = decode_image(folder / "g.png", kMax);
  EXPECT_EQ(g.channels, 1);
  EXPECT_EQ(g.bits, 8);
  EXPECT_EQ(g.pixels, std::vector<std::uint16_t>(grey.begin(), grey.end()));

  const auto deep = ramp<std::uint16_t>(4, 4, 1, 4001);
  write_png(folder / "d.png", 4, 4, 1, deep);
  const Image d = decode_image(folder / "d.png", kMax);
  EXPECT_EQ(d.bits, 16);
  EXPECT_EQ(d.pixels, deep);

  const auto colour = ramp<std::uint8_t>(3, 2, 3);
  write_png(folder / "c.png", 3, 2, 3, colour);
  const Image c = decode_image(folder / "c.png", kMax);
  EXPECT_EQ(c.channels, 3);
  EXPECT_EQ(c.pixels, std::vector<std::uint16_t>(colour.begin(), colour.end()));
}

// A TIFF of 4 x 4 pixels with tags that the tests' encoder does not set.
void write_odd_tiff(const std::filesystem::path& path, int samples, int photometric,
                    const std::vector<std::uint16_t>& extra, int format = SAMPLEFORMAT_UINT) {
  TIFF* t = TIFFOpen(path.c_str(), "w");
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 4);
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, 4);
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, samples);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, photometric);
  TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, format);
  TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_RIGHTTOP);
  if (!extra.empty()) {
    TIFFSetField(t, TIFFTAG_EXTRASAMPLES, static_cast<int>(extra.size()), extra.data());
  }
  std::vector<std::uint8_t> row(4 * static_cast<std::size_t>(samples), 9);
  for (std::uint32_t y = 0; y < 4; ++y) TIFFWriteScanline(t, row.data(), y);
  TIFFClose(t);
}

TEST(DecodeImage, TiffOfMoreChannelsOrSignedValuesIsRefused) {
  const TestFolder folder;
  const std::filesystem::path file = folder / "x.tif";
  const auto error = [&] {
    const std::string header = error_of([&] { read_image_header(file, 1 << 20); });
    EXPECT_EQ(error_of([&] { decode_image(file, 1 << 20); }), header);
    return header;
  };
  const std::vector<std::uint16_t> alpha = {EXTRASAMPLE_UNASSALPHA}, other = {0};
  for (const int photometric : {PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MINISWHITE}) {
    write_odd_tiff(file, 2, photometric, alpha);
    EXPECT_EQ(error(), "");
    write_odd_tiff(file, 2, photometric, other);
    EXPECT_NE(error().find("2 channels, 1 more"), std::string::npos) << error();
    write_odd_tiff(file, 2, photometric, {});
    EXPECT_NE(error().find("2 channels"), std::string::npos) << error();
    write_odd_tiff(file, 4, photometric, {0, 0, 0});
    EXPECT_NE(error().find("4 channels, 3 more"), std::string::npos) << error();
  }
  write_odd_tiff(file, 3, PHOTOMETRIC_RGB, {});
  EXPECT_EQ(error(), "");
  write_odd_tiff(file, 4, PHOTOMETRIC_RGB, alpha);
  EXPECT_EQ(error(), "");
  EXPECT_EQ(read_image_header(file, 1 << 20).orientation, 6);
  write_odd_tiff(file, 4, PHOTOMETRIC_RGB, other);
  EXPECT_NE(error().find("4 channels, 1 more"), std::string::npos) << error();
  write_odd_tiff(file, 5, PHOTOMETRIC_RGB, {EXTRASAMPLE_UNASSALPHA, 0});
  EXPECT_NE(error().find("5 channels, 2 more"), std::string::npos) << error();
  write_odd_tiff(file, 4, PHOTOMETRIC_SEPARATED, {});
  EXPECT_EQ(error(), "");
  write_odd_tiff(file, 1, PHOTOMETRIC_MINISBLACK, {}, SAMPLEFORMAT_INT);
  EXPECT_NE(error().find("signed 8-bit"), std::string::npos) << error();
}

TEST(DecodeImage, TiffGreyInvertedColourAnd16Bit) {
  const TestFolder folder;
  const auto deep = ramp<std::uint16_t>(6, 9, 1, 991);
  write_tiff(folder / "d.tif", 6, 9, 1, deep, PHOTOMETRIC_MINISBLACK);
  EXPECT_EQ(decode_image(folder / "d.tif", kMax).pixels, deep);
  write_tiff(folder / "w.tif", 6, 9, 1, deep, PHOTOMETRIC_MINISWHITE);
  EXPECT_EQ(decode_image(folder / "w.tif", kMax).pixels[5], 65535 - deep[5]);
  const auto colour = ramp<std::uint8_t>(6, 5, 3);
  write_tiff(folder / "c.tif", 6, 5, 3, colour, PHOTOMETRIC_RGB);
  EXPECT_EQ(decode_image(folder / "c.tif", kMax).pixels,
            std::vector<std::uint16_t>(colour.begin(), colour.end()));
}

TEST(DecodeImage, JpegIsNearWhatWasWritten) {
  const TestFolder folder;
  std::vector<std::uint8_t> smooth(64 * 64);
  for (std::size_t i = 0; i < smooth.size(); ++i) smooth[i] = static_cast<std::uint8_t>(i / 32);
  write_jpeg(folder / "j.jpeg", 64, 64, 1, smooth);
  const Image image = decode_image(folder / "j.jpeg", kMax);
  EXPECT_EQ(image.channels, 1);
  for (std::size_t i = 0; i < smooth.size(); ++i) EXPECT_NEAR(image.pixels[i], smooth[i], 3);
}

// Colour JPEGs of a grey picture, and with colour in a corner or in one of the two components
// alone: the quick way is taken for the first, and makes no difference to the grey values.
TEST(DecodeImage, GreyOfAColourJpegIsTheSameByBothWays) {
  struct Colour {
    const char* name;
    std::array<int, 3> added;  // to red, green, blue
    bool everywhere;           // or to the first pixel alone
  };
  const TestFolder folder;
  for (const int sampling : {TJSAMP_444, TJSAMP_422, TJSAMP_420}) {
    for (const Colour& colour :
         {Colour{"none", {0, 0, 0}, true}, Colour{"corner", {120, 0, 0}, false},
          // Y + 0.15, Cb 128 - 0.09, Cr 128 + 20; Y - 0.12, Cb 128 + 20, Cr 128 + 0.09
          Colour{"Cr", {28, -14, 0}, true}, Colour{"Cb", {0, -7, 35}, true}}) {
      const int width = 45, height = 37;  // of no whole number of blocks
      std::vector<std::uint8_t> pixels;
      for (int i = 0; i < width * height; ++i) {
        for (const int added : colour.added) {
          const int grey = 20 + i * i % 199;
          pixels.push_back(
              static_cast<std::uint8_t>(grey + (colour.everywhere || i == 0 ? added : 0)));
        }
      }
      const bool grey_alone = colour.name == std::string("none");
      write_jpeg(folder / "c.jpg", width, height, 3, pixels, sampling);
      const Image stored = decode_image(folder / "c.jpg", kMax);
      const Image grey = decode_image(folder / "c.jpg", kMax, Wanted::grey);
      EXPECT_EQ(stored.channels, 3);
      EXPECT_EQ(grey.channels, grey_alone ? 1 : 3) << sampling << colour.name;
      EXPECT_EQ(to_grey(grey).pixels, to_grey(stored).pixels) << sampling << colour.name;
      EXPECT_EQ(to_rgb(grey).pixels, stored.pixels) << sampling << colour.name;
    }
  }
}

TEST(DecodeImage, ADamagedJpegIsRefusedAlikeWhereGreyIsWanted) {
  const TestFolder folder;
  write_jpeg(folder / "a.jpg", 24, 24, 3, std::vector<std::uint8_t>(24 * 24 * 3, 77));
  const auto bytes = read_bytes(folder / "a.jpg");
  for (std::size_t n = 0; n + 16 < bytes.size(); n += 7) {
    write_bytes(folder / "cut", bytes.data(), n);
    EXPECT_EQ(error_of([&] { decode_image(folder / "cut", kMax, Wanted::grey); }),
              error_of([&] { decode_image(folder / "cut", kMax); }));
  }
}

// Cut off anywhere, no file may decode, crash or take for ever.
TEST(DecodeImage, TruncationAtEveryByteIsAnErrorThatNamesTheFile) {
  const TestFolder folder;
  write_png(folder / "a.png", 9, 9, 1, ramp<std::uint8_t>(9, 9, 1));
  write_jpeg(folder / "a.jpg", 24, 24, 3, ramp<std::uint8_t>(24, 24, 3));
  write_tiff(folder / "a.tif", 9, 9, 1, ramp<std::uint16_t>(9, 9, 1), PHOTOMETRIC_MINISBLACK);
  for (const char* name : {"a.png", "a.jpg", "a.tif"}) {
    const auto bytes = read_bytes(folder / name);
    // The end marker of a JPEG (2 bytes), and the last check sum and IEND chunk of a PNG (16),
    // carry no pixels.
    const std::size_t dispensable = 16;
    for (std::size_t n = 0; n + dispensable < bytes.size(); n += n < 200 ? 1 : 5) {
      write_bytes(folder / "cut", bytes.data(), n);
      const std::string error = error_of([&] { decode_image(folder / "cut", kMax); });
      EXPECT_NE(error.find("cut"), std::string::npos)
          << name << " " << n << " of " << bytes.size() << ": " << error;
    }
  }
}

TEST(DecodeImage, TooManyPixelsIsSaidBeforeDecoding) {
  const TestFolder folder;
  write_png(folder / "a.png", 40, 40, 1, ramp<std::uint8_t>(40, 40, 1));
  const std::string error = error_of([&] { decode_image(folder / "a.png", 1000); });
  EXPECT_NE(error.find("40 x 40"), std::string::npos) << error;
  EXPECT_NE(error.find("--max-pixels"), std::string::npos) << error;
}

TEST(ToGrey, IsPillowsLuma) {
  // PIL.Image.new("RGB", (1, 1), (200, 100, 50)).convert("L").getpixel((0, 0)) == 124
  EXPECT_EQ(to_grey(Image{1, 1, 3, 8, {200, 100, 50}}).pixels[0], 124);
  EXPECT_EQ(to_grey(Image{1, 1, 3, 8, {77, 77, 77}}).pixels[0], 77);
}

TEST(Resample, HalvingAveragesFourPixels) {
  const Image image{4, 2, 1, 8, {0, 10, 20, 30, 40, 50, 60, 70}};
  const Image half = resample(image, 2, 1);
  EXPECT_EQ(half.pixels, (std::vector<std::uint16_t>{25, 45}));
}

TEST(Resample, GrowingIsBilinearWithHalfPixelCentres) {
  // torch.nn.functional.interpolate([[[0, 100]]], size=4, mode="linear", align_corners=False)
  const Image image{2, 1, 1, 8, {0, 100}};
  EXPECT_EQ(resample(image, 4, 1).pixels, (std::vector<std::uint16_t>{0, 25, 75, 100}));
}

TEST(Resample, AreaWeightsOfAFractionalShrink) {
  // 3 -> 2: each output takes 1.5 inputs: (0 + 0.5 * 90) / 1.5 and (0.5 * 90 + 30) / 1.5
  EXPECT_EQ(resample(Image{3, 1, 1, 8, {0, 90, 30}}, 2, 1).pixels,
            (std::vector<std::uint16_t>{30, 50}));
}

TEST(FitSquare, StretchPadAndCrop) {
  const Image wide{4, 2, 1, 8, {10, 20, 30, 40, 10, 20, 30, 40}};
  EXPECT_EQ(fit_square(wide, 2, Fit::stretch).pixels, (std::vector<std::uint16_t>{15, 35, 15, 35}));
  const Image pad = fit_square(wide, 4, Fit::pad);
  EXPECT_EQ(pad.pixels[0], 0);
  EXPECT_EQ(pad.pixels[4], 10);
  EXPECT_EQ(pad.pixels[12], 0);
  EXPECT_EQ(fit_square(wide, 2, Fit::crop).pixels, (std::vector<std::uint16_t>{20, 30, 20, 30}));
}

}  // namespace
}  // namespace bioptic
