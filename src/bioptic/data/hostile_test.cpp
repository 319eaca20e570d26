// Small files of every kind, cut off at every byte and with a bit of every header byte flipped.
// Each ends in a message or in an image; never in a crash, and never in pixels that a cut file does
// not hold.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <functional>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/test_damage.h"
#include "bioptic/data/array_source.h"
#include "bioptic/data/dataset.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/file_list.h"
#include "bioptic/data/image.h"
#include "bioptic/data/npy.h"
#include "bioptic/data/png.h"
#include "bioptic/data/test_dicom.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<std::uint16_t>;

constexpr std::int64_t kMaxPixels = 1 << 20;  // of a flipped header that promises more
constexpr std::size_t kHeaderBytes = 400;  // where flips are tried; small files are flipped whole

class Hostile : public ::testing::Test {
 protected:
  // What the parser makes of a file of these bytes under the name "try-NAME".
  using Parse = std::function<Values(const fs::path& file)>;
  void try_all(const std::string& kind, const std::string& name, int bits, const Parse& parse) {
    const std::string bytes = read_file(folder_ / name);
    const fs::path file = folder_ / ("try-" + name);
    const DamageCounts counts = damage(
        {kind, bytes, kHeaderBytes, bits, false,
         [&](const std::string& changed) {
           write_bytes(file, changed.data(), changed.size());
           const Values pixels = parse(file);
           return std::string(reinterpret_cast<const char*>(pixels.data()), 2 * pixels.size());
         },
         [](const std::string& message) { return message.find("try-") != std::string::npos; }});
    // Only bytes behind the last one that matters may be missing.
    EXPECT_LE(counts.cut_read, 16U) << name;
  }

  TestFolder folder_;
};

Values decoded(const fs::path& file) {
  read_image_header(file, kMaxPixels);
  return decode_image(file, kMaxPixels).pixels;
}

TEST_F(Hostile, Png) {
  write_png(folder_ / "x.png", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1));
  try_all("PNG 8 bit", "x.png", 8, decoded);
  write_png(folder_ / "y.png", 5, 4, 3, ramp<std::uint16_t>(5, 4, 3, 3001));
  try_all("PNG 16 bit RGB", "y.png", 8, decoded);
}

// Sides whose product overflows 32 or 64 bits, and sides of which the file holds little.
TEST_F(Hostile, HeadersThatPromiseTooMuch) {
  constexpr std::int64_t kMost = std::int64_t{1} << 28;
  const auto refused = [&](const std::string& name, const std::string& bytes,
                           const std::string& said, const Parse& parse) {
    write_bytes(folder_ / name, bytes.data(), bytes.size());
    const std::string why = error_of([&] { parse(folder_ / name); });
    EXPECT_NE(why.find(name), std::string::npos) << why;
    EXPECT_NE(why.find(said), std::string::npos) << why;
  };
  const Parse image = [](const fs::path& file) { return decode_image(file, kMost).pixels; };
  const auto put = [](std::string bytes, std::size_t at, const std::string& value) {
    return bytes.replace(at, value.size(), value);
  };
  write_jpeg(folder_ / "x.jpg", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1));
  const std::string jpeg = read_file(folder_ / "x.jpg");
  const std::size_t frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  refused("x.jpg", put(jpeg, frame + 5, "\xFD\xE8\xFD\xE8"), "65000 x 65000 pixels", image);
  refused("y.jpg", put(jpeg, frame + 5, "\x03\xE8\x03\xE8"), "cut off: ", image);

  write_png(folder_ / "x.png", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1));
  const std::string png = read_file(folder_ / "x.png");  // IHDR from byte 12 on, sides from 16 on
  const auto png_of = [&](const std::string& side) {
    return png.substr(0, 8) + png_chunk("IHDR" + side + side + png.substr(24, 5)) + png.substr(33);
  };
  refused("x.png", png_of("\x7F\xFF\xFF\xFF"), "2147483647 x 2147483647 pixels", image);
  refused("y.png", png_of(std::string("\0\0\x03\xE8", 4)), "cut off: ", image);

  write_tiff(folder_ / "x.tif", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1), PHOTOMETRIC_MINISBLACK);
  const std::string tiff = read_file(folder_ / "x.tif");
  const auto tiff_of = [&](const std::string& sides) {
    std::string changed = tiff;
    for (const char tag : {'\0', '\1'}) {  // ImageWidth, ImageLength: one value, in four bytes now
      const std::size_t at = tiff.find(std::string{tag, 1, 3, 0, 1, 0, 0, 0});
      EXPECT_NE(at, std::string::npos);
      changed = put(changed, at, std::string{tag, 1, 4, 0, 1, 0, 0, 0} + sides);
    }
    return changed;
  };
  refused("x.tif", tiff_of(std::string("\0\0\1\0", 4)), "65536 x 65536 pixels", image);
  refused("y.tif", tiff_of(std::string(4, '\xFF')), "cannot be read as TIFF", image);
  refused("z.tif", tiff_of(std::string("\xE8\x03\0\0", 4)), "damaged TIFF", image);

  const std::string npy = npy_header("<f8", {1U << 30, 1U << 30, 1U << 30});
  const Parse array = [](const fs::path& file) {
    return ArrayStack(file, file.filename().string()).load(0, {0, 1}).pixels;
  };
  refused("x.npy", npy, "larger than any file", array);
  refused("y.npy", npy_header("<f8", {1U << 20, 1U << 20, 1U << 10}), "cut off", array);
  refused("z.npy", npy_header("|u1", {1U << 25, 1, 1}) + std::string(1U << 25, 'x'),
          "33554432 images", array);

  const DicomReader reader;
  TestDicom(4, 3, 8, ramp<std::uint16_t>(4, 3, 1))
      .us(0x00280010, 65535)
      .us(0x00280011, 65535)
      .text(0x00280008, "IS", "2147483647")
      .write(folder_ / "x.dcm");
  refused("x.dcm", read_file(folder_ / "x.dcm"), "2147483647 frames of 65535 x 65535 pixels",
          [&](const fs::path& file) {
            reader.read(file, kMost);
            return Values{};
          });
}

TEST_F(Hostile, Jpeg) {
  write_jpeg(folder_ / "x.jpg", 9, 7, 3, ramp<std::uint8_t>(9, 7, 3));
  try_all("JPEG", "x.jpg", 8, decoded);
}

TEST_F(Hostile, Tiff) {
  write_tiff(folder_ / "x.tif", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1), PHOTOMETRIC_MINISBLACK);
  try_all("TIFF grey", "x.tif", 8, decoded);
  write_tiff(folder_ / "y.tif", 5, 4, 3, ramp<std::uint8_t>(5, 4, 3), PHOTOMETRIC_RGB);
  try_all("TIFF RGB", "y.tif", 8, decoded);
}

TEST_F(Hostile, Npy) {
  std::string npy = npy_header("|u1", {2, 3, 4});
  npy += std::string(24, 'x');
  write_bytes(folder_ / "x.npy", npy.data(), npy.size());
  try_all("NPY", "x.npy", 8, [](const fs::path& file) {
    const ArrayStack stack(file, file.filename().string());
    return stack.load(stack.size() - 1, {0, 1}).pixels;
  });
}

TEST_F(Hostile, Npz) {
  int error = 0;
  const std::string images = npy_header("|u1", {2, 2, 2}) + std::string(8, 'x');
  const std::string labels = npy_header("|u1", {2, 1}) + std::string("\0\1", 2);
  zip_t* archive = zip_open((folder_ / "x.npz").c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  for (const auto& [name, content] :
       {std::pair("train_images.npy", &images), std::pair("train_labels.npy", &labels)}) {
    zip_file_add(archive, name, zip_source_buffer(archive, content->data(), content->size(), 0), 0);
  }
  ASSERT_EQ(zip_close(archive), 0);
  try_all("NPZ", "x.npz", 1, [this](const fs::path& file) {
    const fs::path scratch = folder_ / "scratch";
    fs::remove_all(scratch);
    fs::create_directories(scratch);
    return open_npz(file, scratch)->load(1).pixels;
  });
}

TEST_F(Hostile, Manifest) {
  for (const char* name : {"a", "b"}) {
    write_png(folder_ / (std::string(name) + ".png"), 2, 2, 1, ramp<std::uint8_t>(2, 2, 1));
  }
  const std::string text = "path,label,weight\n\"a.png\",x,1.5\nb.png,y,2\n";
  const fs::path file = folder_ / "try.csv";
  damage({"manifest (CSV)", text, text.size(), 8, true,
          [&](const std::string& changed) {
            write_bytes(file, changed.data(), changed.size());
            const FileList list = list_manifest(file, false);
            std::string found;
            for (std::size_t i = 0; i < list.files.size(); ++i) {
              const SourceItem item = list.files[i].item;
              found += fmt::format("{} {} {}\n", item.name,
                                   list.classes[static_cast<std::size_t>(item.label)], item.weight);
            }
            return found;
          },
          [](const std::string& message) { return message.find("try.csv") != std::string::npos; }});
}

TEST_F(Hostile, Dicom) {
  TestDicom(4, 3, 12, ramp<std::uint16_t>(4, 3, 1, 300))
      .text(0x00100020, "LO", "P1")
      .text(0x00281050, "DS", "40")
      .text(0x00281051, "DS", "400")
      .item(0x00283010, {{0x00283002, words({3, 0, 8})}, {0x00283006, words({10, 20, 30})}})
      .write(folder_ / "x.dcm");
  const DicomReader reader;
  // A process for each, so that one bit of each byte must do.
  try_all("DICOM", "x.dcm", 1, [&](const fs::path& file) {
    reader.read_header(file, kMaxPixels);
    return dicom_image(reader.read(file, kMaxPixels), 0, {}, {}).pixels;
  });
}

TEST_F(Hostile, Dataset) {
  DatasetInfo info;
  info.width = info.height = 3;
  info.classes = {"a", "b"};
  DatasetWriter writer(folder_ / "d", info);
  for (int i = 0; i < 2; ++i) {
    writer.add(std::span<const std::uint8_t>(ramp<std::uint8_t>(3, 3, 1)),
               {{}, "s", i, "train", "g"});
  }
  writer.finish();
  const auto content = [&] {
    const Dataset dataset = Dataset::open(folder_ / "d");
    std::string found = fmt::format("{} {}\n", fmt::join(dataset.info().classes, ","),
                                    dataset.info().preprocessing);
    for (std::size_t row = 0; row < dataset.size(); ++row) {
      const ImageRecord record = dataset.record(row);
      found +=
          fmt::format("{} {} {} {}\n", record.source, record.label, record.split, record.group);
      if (dataset.info().dtype != PixelType::uint8) continue;
      const std::span<const std::uint8_t> pixels = dataset.image8(row);
      found.append(pixels.begin(), pixels.end());
    }
    return found;
  };
  for (const std::string name : {"dataset.json", "index.csv", "labels.npy", "images.npy"}) {
    const fs::path file = folder_ / "d" / name;
    const std::string bytes = read_file(file);
    // index.csv without the last letters of its last line is a whole file, which only its hash
    // refuses.
    damage({name, bytes, bytes.size(), 8, name == "index.csv",
            [&](const std::string& changed) {
              write_bytes(file, changed.data(), changed.size());
              return content();
            },
            [&](const std::string& message) {  // or another of the dataset's files, which differs
              return message.find((folder_ / "d").string()) != std::string::npos;
            }});
    write_bytes(file, bytes.data(), bytes.size());
    EXPECT_NO_THROW(Dataset::open(folder_ / "d", true));
  }
}

// Numbers that are none of an int, which a cast would make something of.
TEST_F(Hostile, NumbersOfADataset) {
  DatasetInfo info;
  info.width = info.height = 3;
  info.classes = {"a"};
  DatasetWriter writer(folder_ / "d", info);
  writer.add(std::span<const std::uint8_t>(ramp<std::uint8_t>(3, 3, 1)), {{}, "s", 0, "", ""});
  writer.finish();
  const fs::path file = folder_ / "d" / "dataset.json";
  const std::string text = read_file(file);
  const std::size_t at = text.find("\"height\"");
  const std::size_t digit = text.find('3', at);
  ASSERT_NE(at, std::string::npos);
  for (const char* number : {"3.0", "3.5", "1e99", "-3", "4294967299"}) {
    std::string changed = text;
    changed.replace(digit, 1, number);
    write_bytes(file, changed.data(), changed.size());
    const std::string why = error_of([&] { Dataset::open(folder_ / "d"); });
    EXPECT_NE(why.find((folder_ / "d").string()), std::string::npos) << number << ": " << why;
  }
}

TEST_F(Hostile, LinksThatGoRound) {
  write_png(folder_ / "src" / "a" / "1.png", 2, 2, 1, ramp<std::uint8_t>(2, 2, 1));
  write_png(folder_ / "src" / "b" / "2.png", 2, 2, 1, ramp<std::uint8_t>(2, 2, 1));
  fs::create_directory_symlink(folder_ / "src", folder_ / "src" / "a" / "round");
  fs::create_symlink("loop.png", folder_ / "src" / "b" / "loop.png");
  const std::string message =
      error_of([&] { import_source(folder_ / "src", folder_ / "out", {}); });
  EXPECT_NE(message.find("loop.png"), std::string::npos) << message;
  fs::remove(folder_ / "src" / "b" / "loop.png");
  EXPECT_EQ(import_source(folder_ / "src", folder_ / "out", {}).info.images, 2U);
}

}  // namespace
}  // namespace bioptic
