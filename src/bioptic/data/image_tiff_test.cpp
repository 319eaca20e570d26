// TIFF: pages and stacks, tiles and planes, and tags that libtiff would replace by a guess.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "bioptic/base/files.h"
#include "bioptic/data/image.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

constexpr std::int64_t kMax = 1 << 20;
constexpr std::uint32_t kWidth = 21, kHeight = 18;

using Values = std::vector<std::uint16_t>;
using Tags = std::function<void(TIFF*)>;

struct Page {
  int bits = 8, samples = 1, photometric = PHOTOMETRIC_MINISBLACK;
  bool tiled = false, apart = false;
  Tags tags = [](TIFF*) {};
};

// A value of a pixel, in 16 or 8 bits; alpha, the last of 2 or 4, is opaque but in the first pixel.
std::uint16_t value(const Page& page, std::uint32_t x, std::uint32_t y, int sample) {
  if (page.samples % 2 == 0 && sample == page.samples - 1) return x + y == 0 ? 3 : 65535;
  return static_cast<std::uint16_t>((x * 977 + y * 311 + static_cast<unsigned>(sample) * 5000) >>
                                    (page.bits == 16 ? 0 : 8));
}

class DecodeTiff : public ::testing::Test {
 protected:
  void write(const std::vector<Page>& pages) const {
    TIFF* t = TIFFOpen((folder_ / "x.tif").c_str(), "w");
    for (const Page& page : pages) {
      TIFFSetField(t, TIFFTAG_IMAGEWIDTH, kWidth);
      TIFFSetField(t, TIFFTAG_IMAGELENGTH, kHeight);
      TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, page.bits);
      TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, page.samples);
      if (page.photometric >= 0) TIFFSetField(t, TIFFTAG_PHOTOMETRIC, page.photometric);
      TIFFSetField(t, TIFFTAG_PLANARCONFIG,
                   page.apart ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
      if (page.samples % 2 == 0) {
        const std::uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
        TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, &alpha);
      }
      constexpr std::uint32_t kTile = 16;
      if (page.tiled) {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, kTile);
        TIFFSetField(t, TIFFTAG_TILELENGTH, kTile);
      } else {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 5);
      }
      page.tags(t);
      const int planes = page.apart ? page.samples : 1;
      for (int plane = 0; plane < planes; ++plane) {
        const auto at = static_cast<std::uint16_t>(plane);
        if (page.tiled) {
          for (std::uint32_t y = 0; y < kHeight; y += kTile) {
            for (std::uint32_t x = 0; x < kWidth; x += kTile) {
              std::vector<std::uint8_t> tile;
              for (std::uint32_t r = 0; r < kTile; ++r) add_row(page, x, y + r, kTile, plane, tile);
              TIFFWriteTile(t, tile.data(), x, y, 0, at);
            }
          }
        } else {
          for (std::uint32_t y = 0; y < kHeight; ++y) {
            std::vector<std::uint8_t> row;
            add_row(page, 0, y, kWidth, plane, row);
            TIFFWriteScanline(t, row.data(), y, at);
          }
        }
      }
      TIFFWriteDirectory(t);
    }
    TIFFClose(t);
  }
  Image decoded() const {
    read_image_header(folder_ / "x.tif", kMax);
    return decode_image(folder_ / "x.tif", kMax);
  }
  std::string why() const {
    return error_of([&] { decoded(); });
  }
  void replace(const std::string& from, const std::string& to) const {
    std::string bytes = read_file(folder_ / "x.tif");
    const std::size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, from.size(), to);
    write_bytes(folder_ / "x.tif", bytes.data(), bytes.size());
  }
  static Values expected(const Page& page) {
    Values pixels;
    const int colours = page.samples >= 3 ? 3 : 1;
    for (std::uint32_t y = 0; y < kHeight; ++y) {
      for (std::uint32_t x = 0; x < kWidth; ++x) {
        for (int s = 0; s < colours; ++s) pixels.push_back(value(page, x, y, s));
      }
    }
    return pixels;
  }

  TestFolder folder_;

 private:
  static void add_row(const Page& page, std::uint32_t x, std::uint32_t y, std::uint32_t count,
                      int plane, std::vector<std::uint8_t>& to) {
    for (std::uint32_t p = x; p < x + count; ++p) {
      for (int s = 0; s < page.samples; ++s) {
        if (page.apart && s != plane) continue;
        const std::uint16_t v = value(page, p, y, s);
        to.push_back(static_cast<std::uint8_t>(v & 0xFFU));
        if (page.bits == 16) to.push_back(static_cast<std::uint8_t>(v >> 8));
      }
    }
  }
};

TEST_F(DecodeTiff, StripsTilesAndPlanesOf8And16Bits) {
  for (const int bits : {8, 16}) {
    for (const int samples : {1, 2, 3, 4}) {
      for (const bool tiled : {false, true}) {
        for (const bool apart : {false, true}) {
          Page page{bits, samples, samples < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB, tiled,
                    apart};
          page.tags = [&](TIFF* t) { TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_BOTRIGHT); };
          write({page});
          const Image image = decoded();
          EXPECT_EQ(image.bits, bits);
          EXPECT_EQ(image.pixels, expected(page)) << bits << samples << tiled << apart;
          EXPECT_EQ(image.losses[Loss::transparency], samples % 2 == 0 ? 1U : 0U);
        }
      }
    }
  }
}

TEST_F(DecodeTiff, SmallerCopiesAndMasksAreCountedAndFurtherPagesRefused) {
  Page copy, mask;
  copy.tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE); };
  mask.tags = [](TIFF* t) { TIFFSetField(t, TIFFTAG_SUBFILETYPE, FILETYPE_MASK); };
  write({Page{}, copy, mask});
  const Image image = decoded();
  EXPECT_EQ(image.losses[Loss::pages], 2U);
  EXPECT_EQ(image.pixels, expected(Page{}));
  write({copy});
  EXPECT_EQ(decoded().losses[Loss::pages], 0U);
  write({Page{}, copy, Page{}});
  EXPECT_NE(why().find("has 3 pages; one image per file is expected: split it first"),
            std::string::npos)
      << why();
  write({copy, Page{}});
  EXPECT_NE(why().find("has 2 pages"), std::string::npos) << why();
}

TEST_F(DecodeTiff, StacksInOnePageAreRefused) {
  struct Case {
    const char *words, *said;
  };
  for (const Case& c :
       {Case{"ImageJ=1.53t\nimages=3\nslices=3\n", "is an ImageJ stack of 3 images"},
        Case{"ImageJ=1.53t\nimages=?\n", "is an ImageJ stack of ? images"},
        Case{"{\"shape\": [3, 18, 21], \"truncated\": true}", "is a stack of several images"},
        Case{"ImageJ=1.53t\nimages=1\n", nullptr}, Case{"ImageJ=1.53t\nunit=mm\n", nullptr},
        Case{"images=3", nullptr}}) {
    Page page;
    page.tags = [&](TIFF* t) { TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, c.words); };
    write({page});
    if (c.said == nullptr) {
      EXPECT_EQ(decoded().pixels, expected(page)) << c.words;
    } else {
      EXPECT_NE(why().find(c.said), std::string::npos) << why();
      EXPECT_NE(why().find("split it first"), std::string::npos) << why();
    }
  }
}

// An entry of the directory: tag, type, count and value, little-endian as this machine writes it.
std::string entry(int tag, int type, unsigned count, unsigned number) {
  std::string bytes;
  for (const int v : {tag, type}) {
    bytes += static_cast<char>(v & 0xFF);
    bytes += static_cast<char>(v >> 8);
  }
  for (const unsigned v : {count, number}) {
    for (unsigned b = 0; b < 4; ++b) bytes += static_cast<char>(v >> 8 * b & 0xFFU);
  }
  return bytes;
}

TEST_F(DecodeTiff, TagsThatContradictOrCannotBeReadAreRefused) {
  struct Case {
    int tag;
    unsigned number;
    std::string changed, said;
  };
  constexpr int kShort = 3, kFloat = 11;
  for (const Case& c : {
           // A float is no kind of image; libtiff would go on without the tag.
           Case{262, 1, entry(262, kFloat, 1, 1), "Incompatible type for \"Photometric"},
           Case{262, 1, entry(262, kShort, 1, 3), "a palette is missing"},
           Case{262, 1, entry(262, kShort, 1, 2), "1 values per pixel"},
           Case{284, 1, entry(258, kShort, 1, 16), "two values of the tag BitsPerSample"},
           Case{278, 5, entry(278, kShort, 1, 18), "names 4 strips"},
           Case{284, 1, entry(317, kShort, 1, 2), "has a Predictor"},
           Case{284, 1, entry(339, kShort, 1, 3), "float 8-bit"},
       }) {
    write({Page{}});
    replace(entry(c.tag, kShort, 1, c.number), c.changed);
    EXPECT_NE(why().find(c.said), std::string::npos) << c.tag << " " << c.said << ": " << why();
  }
  write({Page{}});
  std::string bytes = read_file(folder_ / "x.tif");
  const std::string places = entry(273, 4, 4, 0).substr(0, 8);  // StripOffsets, at a place
  const std::size_t at = bytes.find(places);
  ASSERT_NE(at, std::string::npos);
  const auto list =
      static_cast<std::uint8_t>(bytes[at + 8]) + 256U * static_cast<std::uint8_t>(bytes[at + 9]);
  for (std::size_t b = 4; b < 8; ++b) bytes[list + b] = 0;  // the second strip's
  write_bytes(folder_ / "x.tif", bytes.data(), bytes.size());
  EXPECT_NE(why().find("strip or tile 1 has no place"), std::string::npos) << why();
  // The same value twice is no contradiction, and a tag that no pixel needs may be anything.
  for (const std::string& harmless :
       {entry(258, kShort, 1, 8), entry(296, kShort, 1, 9), entry(274, kShort, 1, 99)}) {
    write({Page{}});
    replace(entry(284, kShort, 1, 1), harmless);
    EXPECT_EQ(decoded().pixels, expected(Page{}));
  }
}

TEST_F(DecodeTiff, AMissingPolarityIsCounted) {
  write({Page{}});
  EXPECT_EQ(decoded().losses[Loss::polarity], 0U);
  replace(entry(262, 3, 1, 1), entry(262 + 32000, 3, 1, 1));
  const Image image = decoded();
  EXPECT_EQ(image.pixels, expected(Page{}));
  EXPECT_EQ(image.losses[Loss::polarity], 1U);
  Page page;
  page.photometric = PHOTOMETRIC_PALETTE;
  Values map(256, 1);
  page.tags = [&](TIFF* t) {
    TIFFSetField(t, TIFFTAG_COLORMAP, map.data(), map.data(), map.data());
  };
  write({page});
  EXPECT_EQ(why(), "");
  replace(entry(262, 3, 1, 3), entry(262 + 32000, 3, 1, 3));
  EXPECT_NE(why().find("PhotometricInterpretation is missing"), std::string::npos) << why();
}

// Colours of full size, where the tags leave the subsampling at its default of 2 x 2.
TEST_F(DecodeTiff, ColoursOfAnotherSizeThanTheTagsSayAreRefused) {
  write({Page{8, 3, PHOTOMETRIC_RGB}});
  replace(entry(262, 3, 1, PHOTOMETRIC_RGB), entry(262, 3, 1, PHOTOMETRIC_YCBCR));
  EXPECT_NE(why().find("YCbCrSubsampling"), std::string::npos) << why();
}

// libtiff cuts it into many, of which the file's tags do not tell.
TEST_F(DecodeTiff, OneLargeStrip) {
  constexpr int kSide = 300;
  const auto pixels = ramp<std::uint16_t>(kSide, kSide, 1, 17);
  TIFF* t = TIFFOpen((folder_ / "x.tif").c_str(), "w");
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, kSide);
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, kSide);
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 16);
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, kSide);
  auto copy = pixels;
  TIFFWriteEncodedStrip(t, 0, copy.data(), static_cast<tmsize_t>(2 * copy.size()));
  TIFFClose(t);
  EXPECT_EQ(decoded().pixels, pixels);
}

// In the bits of a byte from the upper ones on, whatever the tags say of turning them.
TEST_F(DecodeTiff, ValuesBelow8BitsAreSpread) {
  for (const int bits : {1, 2, 4}) {
    for (const int photometric : {PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MINISWHITE}) {
      TIFF* t = TIFFOpen((folder_ / "x.tif").c_str(), "w");
      TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 5);
      TIFFSetField(t, TIFFTAG_IMAGELENGTH, 1);
      if (bits > 1) TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits);  // 1, where it is missing
      TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
      TIFFSetField(t, TIFFTAG_PHOTOMETRIC, photometric);
      TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
      TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_TOPRIGHT);
      std::vector<std::uint8_t> row = {0xB1, 0x57, 0x80};
      TIFFWriteScanline(t, row.data(), 0);
      TIFFClose(t);
      Values pixels = bits == 1   ? Values{255, 0, 255, 255, 0}
                      : bits == 2 ? Values{170, 255, 0, 85, 85}
                                  : Values{187, 17, 85, 119, 136};
      if (photometric == PHOTOMETRIC_MINISWHITE) {
        for (std::uint16_t& v : pixels) v = static_cast<std::uint16_t>(255 - v);
      }
      EXPECT_EQ(decoded().pixels, pixels) << bits << " " << photometric;
    }
  }
}

// A fax row that ends too early is filled up by libtiff, with a warning alone.
TEST_F(DecodeTiff, RowsThatLibtiffFillsUpAreRefused) {
  TIFF* t = TIFFOpen((folder_ / "x.tif").c_str(), "w");
  TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 64);
  TIFFSetField(t, TIFFTAG_IMAGELENGTH, 32);
  TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 1);
  TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
  TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
  TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 32);
  for (std::uint32_t y = 0; y < 32; ++y) {
    std::vector<std::uint8_t> row(8, static_cast<std::uint8_t>(y * 37 + 5));
    TIFFWriteScanline(t, row.data(), y);
  }
  TIFFClose(t);
  EXPECT_EQ(why(), "");
  std::string bytes = read_file(folder_ / "x.tif");
  for (std::size_t k = 20; k < 30; ++k) bytes[k] = static_cast<char>(0xA5);
  write_bytes(folder_ / "x.tif", bytes.data(), bytes.size());
  EXPECT_NE(why().find("damaged"), std::string::npos) << why();
}

}  // namespace
}  // namespace bioptic
