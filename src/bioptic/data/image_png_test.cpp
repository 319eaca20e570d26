// PNG: chunks that no pixel needs, transparency, further frames.
#include <gtest/gtest.h>

#include <string>

#include "bioptic/base/files.h"
#include "bioptic/data/image.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

using std::string_literals::operator""s;
constexpr std::int64_t kMax = 1 << 20;
constexpr std::size_t kHeaderEnd = 33;  // behind the signature and IHDR

class DecodePng : public ::testing::Test {
 protected:
  void SetUp() override {
    write_png(folder_ / "grey.png", 9, 7, 1, grey_);
    png_ = read_file(folder_ / "grey.png");
  }
  Image decoded(const std::string& bytes) {
    write_bytes(folder_ / "x.png", bytes.data(), bytes.size());
    read_image_header(folder_ / "x.png", kMax);
    return decode_image(folder_ / "x.png", kMax);
  }
  std::string with(std::size_t at, const std::string& named) const {
    return std::string(png_).insert(at, png_chunk(named));
  }

  TestFolder folder_;
  std::vector<std::uint8_t> grey_ = ramp<std::uint8_t>(9, 7, 1);
  std::string png_;
};

TEST_F(DecodePng, ChunksThatNoPixelNeedsAreNoReason) {
  const std::string large(5'000'000, 'x');
  for (const std::string& named :
       {"tEXtComment\0"s + large, "iTXtXML:com.adobe.xmp\0\0\0\0\0"s + large, "eXIfII*\0"s + large,
        "prVW"s + large, "zTXtComment\0\0not packed"s, "iCCPsRGB\0\0not packed"s,
        "gAMA\0\0\0\0"s}) {
    for (const std::size_t at : {kHeaderEnd, png_.size() - 12}) {
      const Image image = decoded(with(at, named));
      EXPECT_EQ(image.pixels, std::vector<std::uint16_t>(grey_.begin(), grey_.end()))
          << named.substr(0, 4);
      EXPECT_EQ(image.losses.counts, Losses{}.counts);
    }
  }
  std::string broken = with(kHeaderEnd, "tEXtComment\0abc"s);
  broken[kHeaderEnd + 10] ^= 1;  // against its checksum
  EXPECT_EQ(decoded(broken).pixels, std::vector<std::uint16_t>(grey_.begin(), grey_.end()));
}

TEST_F(DecodePng, TransparentPixelsAreCounted) {
  // The tenth value of the ramp, 63, stands for "transparent": once.
  EXPECT_EQ(decoded(with(kHeaderEnd, "tRNS\0\x3F"s)).losses[Loss::transparency], 1U);
  EXPECT_EQ(decoded(with(kHeaderEnd, "tRNS\0\x40"s)).losses[Loss::transparency], 0U);
  struct Kind {
    int type, channels, bits;
    std::uint64_t hidden;
  };
  for (const Kind& kind : {Kind{SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 2, 8, 3},
                           Kind{SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 4, 8, 3},
                           Kind{SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 4, 16, 3}}) {
    const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> context(spng_ctx_new(SPNG_CTX_ENCODER),
                                                                 spng_ctx_free);
    spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1);
    spng_ihdr header{};
    header.width = 4;
    header.height = 3;
    header.bit_depth = static_cast<std::uint8_t>(kind.bits);
    header.color_type = static_cast<std::uint8_t>(kind.type);
    spng_set_ihdr(context.get(), &header);
    const auto bytes = static_cast<std::size_t>(12 * kind.channels * kind.bits / 8);
    std::vector<std::uint8_t> pixels(bytes, 255);
    for (std::size_t p = 1; p < 4; ++p) pixels[p * bytes / 12 - 1] = static_cast<std::uint8_t>(p);
    ASSERT_EQ(
        spng_encode_image(context.get(), pixels.data(), bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE),
        0);
    std::size_t size = 0;
    int error = 0;
    const std::unique_ptr<void, void (*)(void*)> made(
        spng_get_png_buffer(context.get(), &size, &error), std::free);
    const Image image = decoded(std::string(static_cast<const char*>(made.get()), size));
    EXPECT_EQ(image.losses[Loss::transparency], kind.hidden) << kind.type << " " << kind.bits;
    EXPECT_EQ(image.pixels,
              std::vector<std::uint16_t>(image.pixels.size(), kind.bits == 16 ? 65535 : 255));
  }
}

TEST_F(DecodePng, TransparentEntriesOfAPalette) {
  // 2 x 1 pixels of two bits, entries 1 and 2 of three; packed as it is ("stored").
  const std::string scanline = "\0\x60"s;
  const std::string packed = "\x78\x01\x01\x02\0\xFD\xFF"s + scanline + "\0\x62\0\x61"s;
  const std::string png = png_.substr(0, 8) + png_chunk("IHDR\0\0\0\2\0\0\0\1\2\3\0\0\0"s) +
                          png_chunk("PLTE\1\2\3\4\5\6\7\x08\x09"s) + png_chunk("tRNS\xFF\x80"s) +
                          png_chunk("IDAT" + packed) + png_chunk("IEND");
  const Image image = decoded(png);
  EXPECT_EQ(image.pixels, (std::vector<std::uint16_t>{4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(image.losses[Loss::transparency], 1U);
}

TEST_F(DecodePng, FurtherFramesAreCounted) {
  const std::string control = "fcTL" + std::string(26, '\0');
  std::string animated = with(kHeaderEnd, control);  // the image itself is the first frame
  animated.insert(animated.size() - 12, png_chunk(control) + png_chunk(control));
  EXPECT_EQ(decoded(animated).losses[Loss::pages], 2U);
  EXPECT_EQ(decoded(with(png_.size() - 12, control)).losses[Loss::pages], 1U);
}

}  // namespace
}  // namespace bioptic
