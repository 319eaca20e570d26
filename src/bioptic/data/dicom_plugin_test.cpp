// What the plugin makes of files that are unusual, contradictory, unsupported or damaged.
#include <gtest/gtest.h>

#include <cstdlib>

#include "bioptic/base/files.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/test_dicom.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<std::uint16_t>;

constexpr std::int64_t kMax = 1 << 28;
constexpr char kRle[] = "1.2.840.10008.1.2.5", kJpeg[] = "1.2.840.10008.1.2.4.50";

class DicomPlugin : public ::testing::Test {
 protected:
  DicomFile read(const TestDicom& dicom) const {
    dicom.write(folder_ / "x.dcm");
    return DicomReader().read(folder_ / "x.dcm", kMax);
  }
  std::string refusal(const TestDicom& dicom) const {
    dicom.write(folder_ / "x.dcm");
    return error_of([&] { DicomReader().read(folder_ / "x.dcm", kMax); });
  }
  void expect_refused(const TestDicom& dicom, const std::string& why) const {
    const std::string said = refusal(dicom);
    EXPECT_NE(said.find(why), std::string::npos) << said;
    // The header alone says so already.
    EXPECT_EQ(error_of([&] { DicomReader().read_header(folder_ / "x.dcm", kMax); }), said);
  }
  static TestDicom grey() { return TestDicom(2, 2, 8, {1, 2, 3, 4}); }
  // One RLE frame of 2 x 2 bytes.
  static std::string rle(std::uint8_t first) {
    std::string frame(64, '\0');
    frame[0] = 1;
    frame[4] = 64;
    frame += '\3';
    for (int i = 0; i < 4; ++i) frame += static_cast<char>(first + i);
    return frame;
  }
  // A JPEG with a JFIF mark, of three channels YCbCr, and what is in it.
  std::string jpeg(int width, int height, int channels) const {
    const auto pixels = ramp<std::uint8_t>(width, height, channels, 3);
    write_jpeg(folder_ / "x.jpg", width, height, channels, pixels);
    const auto bytes = read_bytes(folder_ / "x.jpg");
    return {bytes.begin(), bytes.end()};
  }
  TestFolder folder_;
};

TEST_F(DicomPlugin, TheClassOfTheObjectDoesNotMatter) {
  const Values values = {1, 2, 3, 4};
  for (const char* uid : {"1.2.840.10008.5.1.4.1.1.77.1.5.4", "1.3.12.2.1107.5.9.1", "1.2.3.4.5",
                          "CT Image Storage", "1.2.840.10008.5.1.4.1.1.66", ""}) {
    const DicomFile file = read(grey().text(0x00080016, "UI", uid));
    EXPECT_EQ(file.pixels, (std::vector<std::uint8_t>{1, 2, 3, 4})) << uid;
  }
}

TEST_F(DicomPlugin, WhatHoldsNoImageSaysWhatItIs) {
  const auto object = [](const char* uid) {
    return grey().without(0x7FE00010).text(0x00080016, "UI", uid);
  };
  expect_refused(object("1.2.840.10008.5.1.4.1.1.481.5").without(0x00280010),
                 "holds no image (its class is RT Plan Storage)");
  expect_refused(object("1.2.3").without(0x00280010), "holds no image");
  expect_refused(object("1.2.840.10008.5.1.4.1.1.7"), "holds no pixels: it is cut off");
  expect_refused(object("1.2.840.10008.5.1.4.1.1.7").put(0x7FE00008, "OW", std::string(16, '\0')),
                 "floating-point");
}

TEST_F(DicomPlugin, WhatIsNotSupportedIsNamedWithARemedy) {
  const auto said = [&](const char* uid) { return refusal(grey().syntax(uid)); };
  EXPECT_NE(said("1.2.840.10008.1.2.4.201")
                .find("High-Throughput JPEG 2000 Lossless "
                      "(1.2.840.10008.1.2.4.201), which is not "
                      "supported: write it again as Explicit VR"),
            std::string::npos);
  EXPECT_NE(said("1.2.840.10008.1.2.4.107").find("ffmpeg"), std::string::npos);
  EXPECT_NE(said("1.2.3.4").find("not known (1.2.3.4)"), std::string::npos);
  EXPECT_EQ(said("Doe, Jane").find("Doe"), std::string::npos);
}

TEST_F(DicomPlugin, ContradictionsAreNamed) {
  expect_refused(grey().syntax(kJpeg), "JPEG Baseline, its pixels do not lie in fragments");
  expect_refused(grey().fragments({"1234"}), "Explicit VR Little Endian, which is not compressed");
  TestDicom picture(16, 8, 8, {});
  picture.syntax(kJpeg).fragments({jpeg(16, 8, 1)});
  EXPECT_EQ(read(picture).pixels.size(), 128U);
  expect_refused(TestDicom(picture).us(0x00280010, 9), "(Rows) is 9 in its header and 8 in");
  expect_refused(TestDicom(picture).us(0x00280011, 17), "(Columns) is 17");
  expect_refused(TestDicom(picture).fragments({jpeg(16, 8, 3)}), "(SamplesPerPixel) is 1");
  expect_refused(TestDicom(picture).fragments({"no JPEG"}), "is damaged");
  expect_refused(TestDicom(picture).text(0x00280008, "IS", "2"), "promises 2 frames");
  std::string cut = jpeg(16, 8, 1);
  cut.resize(cut.size() - 2);
  EXPECT_NE(refusal(TestDicom(picture).fragments({cut})).find("is cut off"), std::string::npos);
  EXPECT_NE(refusal(grey().syntax(kRle).us(0x00280100, 16).fragments({rle(1)})).find("2 planes"),
            std::string::npos);
  expect_refused(grey()
                     .item(0x52009230, {{0x00280001, words({1})}})
                     .text(0x00280008, "IS", "1")
                     .us(0x00280010, 1)
                     .text(0x00280008, "IS", "2"),
                 "2 frames (NumberOfFrames) and functional groups for 1");
}

// What decodes in full is read; what a decoder would fill up is refused.
TEST_F(DicomPlugin, AJpegIsReadInFullOrRefused) {
  const std::string whole = jpeg(64, 64, 1);
  TestDicom picture(64, 64, 8, {});
  picture.syntax(kJpeg).fragments({whole});
  const auto pixels = read(picture).pixels;
  std::string newer = whole;
  newer[11] = 2;  // JFIF 2.01
  EXPECT_EQ(read(picture.fragments({newer})).pixels, pixels);
  const std::string spare = whole.substr(0, 20) + "123" + whole.substr(20);
  EXPECT_EQ(read(picture.fragments({spare})).pixels, pixels);
  const std::string end = whole.substr(whole.size() - 2);
  const std::string cut = whole.substr(0, whole.size() - 100) + end;
  EXPECT_NE(refusal(picture.fragments({cut})).find("does not decode in full"), std::string::npos);
}

TEST_F(DicomPlugin, NumbersThatAreNotWhatTheyShouldBe) {
  expect_refused(grey().put(0x00280010, "US", words({2, 2})), "Rows that is not one number");
  expect_refused(grey().us(0x00280103, 2), "PixelRepresentation of 2");
  expect_refused(grey().put(0x00280101, "US", "8"), "");
  expect_refused(grey().text(0x00280101, "CS", "EIGHT"), "BitsStored that is no whole number");
  expect_refused(grey().put(0x00280101, "FD", std::string(8, '\0')), "VR");
  EXPECT_EQ(read(grey().text(0x00280101, "IS", " 8 ")).bits_stored, 8);
  expect_refused(grey().put(0x00281053, "US", "1 ").text(0x00281052, "DS", "0"), "VR");
  const TestDicom rgb(1, 1, 8, {1, 2, 3}, "RGB", 3);
  expect_refused(TestDicom(rgb).us(0x00280006, 2), "PlanarConfiguration of 2");
  EXPECT_EQ(read(TestDicom(rgb).us(0x00280006, 1)).pixels, (std::vector<std::uint8_t>{1, 2, 3}));
  EXPECT_EQ(read(grey().text(0x00280004, "CS", "monochrome 1")).colour, DicomColour::monochrome1);
  expect_refused(grey().text(0x00281053, "DS", "1").put(0x00283000, "LO", "table "),
                 "ModalityLUTSequence that is no sequence");
}

TEST_F(DicomPlugin, FramesOfFragments) {
  TestDicom two(2, 2, 8, {});
  two.syntax(kRle).fragments({rle(1), rle(9)}).text(0x00280008, "IS", "2");
  EXPECT_EQ(read(two).pixels, (std::vector<std::uint8_t>{1, 2, 3, 4, 9, 10, 11, 12}));
  const DicomFile first = read(TestDicom(two).text(0x00280008, "IS", "1"));
  EXPECT_EQ(first.pixels, (std::vector<std::uint8_t>{1, 2, 3, 4}));
  EXPECT_EQ(first.further_frames, 1U);
  EXPECT_EQ(dicom_image(first, 0, {}, {}).losses[Loss::frames], 1U);
  const std::string whole = jpeg(16, 8, 1);
  TestDicom parts(16, 8, 8, {});
  parts.syntax(kJpeg).fragments({whole.substr(0, 100), whole.substr(100)});
  EXPECT_EQ(read(parts).pixels, read(TestDicom(parts).fragments({whole})).pixels);
}

TEST_F(DicomPlugin, WhatLiesBeyondTheFramesIsCounted) {
  TestDicom more(2, 2, 8, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  more.put(0x60003000, "OW", std::string(2, '\0'));
  const DicomFile file = read(more);
  EXPECT_EQ(file.further_frames, 1U);
  EXPECT_EQ(file.spare_bytes, 2U);
  EXPECT_EQ(file.overlays, 1U);
  EXPECT_EQ(read(TestDicom(1, 1, 8, {1})).spare_bytes, 0U);  // made even
}

TEST_F(DicomPlugin, TheMarksOfACompressedImageDecideItsColours) {
  const std::string stream = jpeg(16, 8, 3);
  TestDicom right(16, 8, 8, {}, "YBR_FULL_422", 3);
  right.syntax(kJpeg).fragments({stream});
  const DicomFile expected = read(right);
  EXPECT_FALSE(expected.colour_overruled);
  const DicomFile wrong = read(TestDicom(right).text(0x00280004, "CS", "RGB"));
  EXPECT_TRUE(wrong.colour_overruled);
  EXPECT_EQ(wrong.pixels, expected.pixels);
  // Adobe's mark, without a transform, in place of JFIF's: the samples are red, green and blue.
  const std::string adobe(
      "\xFF\xEE\0\x0E"
      "Adobe\0\x64\0\0\0\0\0",
      16);
  const std::string plain = stream.substr(0, 2) + adobe + stream.substr(20);
  const DicomFile rgb = read(TestDicom(right).fragments({plain}));
  EXPECT_TRUE(rgb.colour_overruled);
  EXPECT_EQ(rgb.pixels,
            read(TestDicom(right).fragments({plain}).text(0x00280004, "CS", "RGB")).pixels);
  expect_refused(TestDicom(right)
                     .text(0x00280004, "CS", "YBR_RCT")
                     .fragments({stream.substr(0, 2) + stream.substr(20)}),
                 "belongs to JPEG 2000");
}

TEST_F(DicomPlugin, Palettes) {
  const auto palette = [](int bits, const std::string& values, std::uint32_t first = 0x00281201) {
    TestDicom dicom(4, 1, 8, {0, 1, 2, 3}, "PALETTE COLOR");
    for (std::uint32_t c = 0; c < 3; ++c) {
      dicom.put(0x00281101 + c, "US", words({4, 0, bits})).put(first + c, "OW", values);
    }
    return dicom;
  };
  const auto reds = [&](const TestDicom& dicom) {
    const DicomFile file = read(dicom);
    return std::vector<int>{file.pixels[0], file.pixels[3], file.pixels[6], file.pixels[9]};
  };
  using Reds = std::vector<int>;
  EXPECT_EQ(reds(palette(16, words({0, 257, 0x8000, 65535}))), (Reds{0, 1, 128, 255}));
  EXPECT_EQ(reds(palette(8, std::string("\0\1\2\xFF", 4))), (Reds{0, 1, 2, 255}));
  EXPECT_EQ(reds(palette(8, words({0, 1, 2, 255}))), (Reds{0, 1, 2, 255}));
  EXPECT_EQ(reds(palette(16, words({0, 1, 2, 255}))), (Reds{0, 1, 2, 255}));  // 8 bits in fact
  // One entry, a line of two up to 65535, and the first segment again.
  const std::string segments = words({0, 1, 1, 1, 2, 65535, 2, 1, 0, 0});
  EXPECT_EQ(reds(palette(16, segments, 0x00281221)), (Reds{0, 128, 255, 0}));
  const std::string bytes("\0\1\1\1\2\xFF\2\1\0\0\0\0", 12);
  EXPECT_EQ(reds(palette(8, bytes, 0x00281221)), (Reds{1, 128, 255, 1}));
  expect_refused(palette(16, words({0, 1, 1, 1, 9, 65535}), 0x00281221), "longer than");
  expect_refused(palette(16, words({0, 2, 1, 1}), 0x00281221), "shorter than");
  expect_refused(palette(16, words({1, 2, 9, 9}), 0x00281221), "begins with a line");
  expect_refused(palette(16, words({0, 1, 1, 2, 1, 6, 0, 2, 1, 6, 0}), 0x00281221), "segment");
  expect_refused(palette(16, words({0, 1})), "cut off");
  expect_refused(palette(12, words({0, 1, 2, 3})), "12 bits");
}

}  // namespace
}  // namespace bioptic
