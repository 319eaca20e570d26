// JPEG files that decode in full although libjpeg warns of them, and those that do not.
#include <gtest/gtest.h>
#include <jpeglib.h>

#include <array>
#include <cstdio>
#include <string>

#include "bioptic/base/files.h"
#include "bioptic/data/image.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

using std::string_literals::operator""s;
constexpr std::int64_t kMax = 1 << 20;
constexpr int kWidth = 45, kHeight = 37;  // of no whole number of blocks

std::vector<std::uint8_t> smooth(int channels) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < kWidth * kHeight; ++i) {
    for (int c = 0; c < channels; ++c) {
      pixels.push_back(static_cast<std::uint8_t>(20 + 2 * (i % kWidth) + (c + 1) * (i / kWidth)));
    }
  }
  return pixels;
}

// One component's sampling factors.
struct Factors {
  int horizontal, vertical;
};

// With any sampling factors, which TurboJPEG cannot write; of 1, 3 or 4 (CMYK) channels.
std::string jpeg_with(const std::vector<std::uint8_t>& pixels, const std::vector<Factors>& factors,
                      int restart_rows = 0, bool progressive = false) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = kWidth;
  info.image_height = kHeight;
  info.input_components = static_cast<int>(factors.size());
  info.in_color_space = factors.size() == 1   ? JCS_GRAYSCALE
                        : factors.size() == 3 ? JCS_RGB
                                              : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  for (std::size_t c = 0; c < factors.size(); ++c) {
    info.comp_info[c].h_samp_factor = factors[c].horizontal;
    info.comp_info[c].v_samp_factor = factors[c].vertical;
  }
  info.restart_in_rows = restart_rows;
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  for (std::size_t y = 0; y < kHeight; ++y) {
    std::vector<std::uint8_t> row(
        pixels.begin() + static_cast<std::ptrdiff_t>(y * kWidth * factors.size()),
        pixels.begin() + static_cast<std::ptrdiff_t>((y + 1) * kWidth * factors.size()));
    std::array<JSAMPROW, 1> rows = {row.data()};
    jpeg_write_scanlines(&info, rows.data(), 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string made(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return made;
}

class DecodeJpeg : public ::testing::Test {
 protected:
  Image decoded(const std::string& bytes, Wanted wanted = Wanted::as_stored) {
    write_bytes(folder_ / "x.jpg", bytes.data(), bytes.size());
    const ImageHeader header = read_image_header(folder_ / "x.jpg", kMax);
    EXPECT_EQ(header.width, kWidth);
    return decode_image(folder_ / "x.jpg", kMax, wanted);
  }
  std::string why(const std::string& bytes) {
    return error_of([&] { decoded(bytes); });
  }

 private:
  TestFolder folder_;
};

const std::vector<Factors> kGrey = {{1, 1}}, kColour = {{2, 2}, {1, 1}, {1, 1}};

TEST_F(DecodeJpeg, WhatDecodesInFullIsRead) {
  for (const auto& factors : {kGrey, kColour}) {
    const std::string good = jpeg_with(smooth(static_cast<int>(factors.size())), factors);
    const Image image = decoded(good);
    EXPECT_EQ(image.losses[Loss::spare_bytes], 0U);
    const std::size_t end = good.size() - 2, tables = good.find("\xFF\xDB"),
                      jfif = good.find("JFIF"), scan = good.find("\xFF\xDA");
    const std::size_t scan_end = scan + 2 + static_cast<std::uint8_t>(good[scan + 3]);
    const auto with = [&](std::size_t at, const std::string& bytes) {
      return std::string(good).insert(at, bytes);
    };
    const auto put = [&](std::size_t at, char byte) {
      std::string changed = good;
      changed[at] = byte;
      return changed;
    };
    const std::string adobe = "\xFF\xEE\0\x0E"s + "Adobe\0\x64\0\0\0\0\3"s;
    const std::string no_jfif = good.substr(0, 2) + good.substr(20);
    struct Case {
      const char* name;
      std::string bytes;
      bool spare;
    };
    for (const Case& c : std::vector<Case>{
             {"spare bytes before the end", with(end, std::string(9, 0x7F)), true},
             {"zeros before the end", with(end, std::string(16, '\0')), true},
             {"fill bytes before the end", with(end, "\xFF\xFF\xFF"), false},
             {"spare bytes before the tables", with(tables, "\0\0\0"s), true},
             {"JFIF 2.01", put(jfif + 5, 2), false},
             {"end of spectrum 0", put(scan_end - 2, 0), false},
             {"Adobe transform 3", adobe.empty() ? "" : with(2, adobe), false},
             {"Adobe transform 3 without JFIF", std::string(no_jfif).insert(2, adobe), false},
             {"bytes after the end", good + "trailer of a camera", false}}) {
      const Image same = decoded(c.bytes);
      EXPECT_EQ(same.pixels, image.pixels) << c.name;
      EXPECT_EQ(same.losses[Loss::spare_bytes] > 0, c.spare) << c.name;
      EXPECT_EQ(to_grey(decoded(c.bytes, Wanted::grey)).pixels, to_grey(image).pixels) << c.name;
    }
  }
}

TEST_F(DecodeJpeg, WhatDoesNotDecodeInFullIsRefused) {
  const std::string good = jpeg_with(smooth(3), kColour);
  EXPECT_NE(why(good.substr(0, good.size() - 2)).find("Premature end"), std::string::npos);
  const std::string twice = good.substr(0, good.size() - 2) + "\xFF\xD8\xFF\xD9";
  EXPECT_NE(why(twice).find("damaged or cut off"), std::string::npos) << why(twice);
  // A restart marker that is lost takes rows with it.
  const std::string parts = jpeg_with(smooth(3), kColour, 1);
  EXPECT_EQ(decoded(parts).pixels, decoded(good).pixels);
  std::string lost = parts;
  const std::size_t restart = lost.find("\xFF\xD0");
  ASSERT_NE(restart, std::string::npos);
  lost[restart + 1] = '\xD4';
  EXPECT_NE(why(lost).find("damaged or cut off"), std::string::npos) << why(lost);
  // Without a scan, a component would be grey.
  const std::string scans = jpeg_with(smooth(3), {{1, 1}, {1, 1}, {1, 1}}, 0, true);
  EXPECT_EQ(why(scans), "");
}

// TurboJPEG's own interface knows a few factors only; libjpeg decodes all.
TEST_F(DecodeJpeg, AnySamplingFactors) {
  const std::vector<std::uint8_t> pixels = smooth(3);
  for (const std::vector<Factors>& factors :
       std::vector<std::vector<Factors>>{{{1, 1}, {1, 1}, {1, 1}},
                                         {{2, 1}, {2, 1}, {2, 1}},
                                         {{4, 2}, {1, 1}, {1, 1}},
                                         {{2, 4}, {1, 1}, {1, 1}},
                                         {{1, 1}, {2, 2}, {2, 2}},
                                         {{1, 1}, {1, 1}, {2, 1}},
                                         {{2, 2}, {2, 2}, {1, 1}},
                                         {{3, 1}, {1, 1}, {1, 1}},
                                         {{2, 2}, {2, 1}, {1, 2}},
                                         {{1, 4}, {1, 1}, {1, 1}}}) {
    const std::string bytes = jpeg_with(pixels, factors);
    const Image image = decoded(bytes);
    ASSERT_EQ(image.pixels.size(), pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) ASSERT_NEAR(image.pixels[i], pixels[i], 12);
    EXPECT_EQ(to_grey(decoded(bytes, Wanted::grey)).pixels, to_grey(image).pixels);
    // Without any colour in it, the quick way is taken where the brightness has the full size.
    std::vector<std::uint8_t> grey;
    for (const std::uint8_t v : smooth(1)) grey.insert(grey.end(), 3, v);
    const std::string colourless = jpeg_with(grey, factors);
    const Image quick = decoded(colourless, Wanted::grey);
    EXPECT_EQ(to_grey(quick).pixels, to_grey(decoded(colourless)).pixels);
    int most = 0;
    for (const Factors& f : factors) most = std::max(most, f.horizontal * f.vertical);
    if (factors[0].horizontal * factors[0].vertical == most) {
      EXPECT_EQ(quick.channels, 1);
    }
  }
}

TEST_F(DecodeJpeg, KindsThatAreNotSupportedAreSaidInWords) {
  const std::string cmyk = jpeg_with(smooth(4), {{1, 1}, {1, 1}, {1, 1}, {1, 1}});
  EXPECT_NE(why(cmyk).find("is a CMYK JPEG; convert it to RGB or grey first"), std::string::npos);
  const std::string good = jpeg_with(smooth(1), kGrey);
  const std::size_t frame = good.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  std::string deep = good;
  deep[frame + 4] = 12;
  EXPECT_NE(why(deep).find("12 bits"), std::string::npos) << why(deep);
  EXPECT_NE(why(deep).find("PNG or TIFF"), std::string::npos) << why(deep);
  std::string lossless = good;
  lossless[frame + 1] = '\xC3';
  EXPECT_NE(why(lossless).find("not supported"), std::string::npos) << why(lossless);
  EXPECT_NE(why(lossless).find("PNG or TIFF"), std::string::npos) << why(lossless);
}

}  // namespace
}  // namespace bioptic
