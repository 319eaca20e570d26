// Small files of every kind, cut off at every byte and with a bit of every header byte flipped.
// Each ends in a message or in an image; never in a crash, and never in pixels that a cut file does
// not hold.
#include <gtest/gtest.h>
#include <zip.h>

#include <functional>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
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

// What the parser makes of the file: its pixels, or whatever stands for them; empty when it
// refuses.
using Parse = std::function<Values(const fs::path& file)>;

class Hostile : public ::testing::Test {
 protected:
  void try_all(const std::string& name, const Parse& parse) {
    const std::string bytes = read_file(folder_ / name);
    const Values whole = attempt(name, bytes, parse);
    ASSERT_FALSE(whole.empty()) << name << " itself is refused";
    std::size_t refused = 0, tried = 0;
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const Values cut = attempt(name, bytes.substr(0, n), parse);
      EXPECT_TRUE(cut.empty() || cut == whole) << name << " cut after " << n << " bytes";
      refused += cut.empty() ? 1U : 0U;
    }
    // Only bytes behind the last one that matters may be missing.
    EXPECT_GE(refused, bytes.size() - std::min<std::size_t>(bytes.size(), 16)) << name;
    for (std::size_t at = 0; at < std::min(bytes.size(), kHeaderBytes); ++at) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
      attempt(name, flipped, parse);
      ++tried;
    }
    RecordProperty(name, static_cast<int>(bytes.size() + tried));
  }

  TestFolder folder_;

 private:
  Values attempt(const std::string& name, const std::string& bytes, const Parse& parse) const {
    const fs::path file = folder_ / ("try-" + name);
    write_bytes(file, bytes.data(), bytes.size());
    try {
      return parse(file);
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find("try-"), std::string::npos)
          << "the message does not name the file: " << e.what();
    } catch (const Failure&) {
    }
    return {};
  }
};

Values decoded(const fs::path& file) {
  read_image_header(file, kMaxPixels);
  return decode_image(file, kMaxPixels).pixels;
}

TEST_F(Hostile, Png) {
  write_png(folder_ / "x.png", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1));
  try_all("x.png", decoded);
  write_png(folder_ / "y.png", 5, 4, 3, ramp<std::uint16_t>(5, 4, 3, 3001));
  try_all("y.png", decoded);
}

TEST_F(Hostile, Jpeg) {
  write_jpeg(folder_ / "x.jpg", 9, 7, 3, ramp<std::uint8_t>(9, 7, 3));
  try_all("x.jpg", decoded);
}

TEST_F(Hostile, Tiff) {
  write_tiff(folder_ / "x.tif", 9, 7, 1, ramp<std::uint8_t>(9, 7, 1), PHOTOMETRIC_MINISBLACK);
  try_all("x.tif", decoded);
  write_tiff(folder_ / "y.tif", 5, 4, 3, ramp<std::uint8_t>(5, 4, 3), PHOTOMETRIC_RGB);
  try_all("y.tif", decoded);
}

TEST_F(Hostile, Npy) {
  std::string npy = npy_header("|u1", {2, 3, 4});
  npy += std::string(24, 'x');
  write_bytes(folder_ / "x.npy", npy.data(), npy.size());
  try_all("x.npy", [](const fs::path& file) {
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
  try_all("x.npz", [this](const fs::path& file) {
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
  write_bytes(folder_ / "x.csv", text.data(), text.size());
  const std::string bytes = text;
  for (std::size_t n = 0; n <= bytes.size(); ++n) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes.substr(0, n);
      if (n > 0) changed[n - 1] = static_cast<char>(changed[n - 1] ^ (1 << bit));
      if (n < bytes.size() && bit > 3) changed += bytes.substr(n);
      write_bytes(folder_ / "try.csv", changed.data(), changed.size());
      try {
        list_manifest(folder_ / "try.csv");
      } catch (const InputError& e) {
        EXPECT_NE(std::string(e.what()).find("try.csv"), std::string::npos) << e.what();
      }
    }
  }
}

TEST_F(Hostile, Dicom) {
  TestDicom(4, 3, 12, ramp<std::uint16_t>(4, 3, 1, 300))
      .text(0x00100020, "LO", "P1")
      .text(0x00281050, "DS", "40")
      .text(0x00281051, "DS", "400")
      .item(0x00283010, {{0x00283002, words({3, 0, 8})}, {0x00283006, words({10, 20, 30})}})
      .write(folder_ / "x.dcm");
  const DicomReader reader;
  try_all("x.dcm", [&](const fs::path& file) {
    reader.read_header(file, kMaxPixels);
    return dicom_image(reader.read(file, kMaxPixels), 0, {}, 0).pixels;
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
  for (const char* name : {"dataset.json", "index.csv", "labels.npy", "images.npy"}) {
    const std::string bytes = read_file(folder_ / "d" / name);
    const auto attempt = [&](const std::string& changed) {
      write_bytes(folder_ / "d" / name, changed.data(), changed.size());
      try {
        const Dataset dataset = Dataset::open(folder_ / "d");
        for (std::size_t row = 0; row < dataset.size(); ++row) {
          dataset.record(row);
          if (dataset.info().dtype == PixelType::uint8)
            static_cast<void>(dataset.image8(row).back());
        }
      } catch (const InputError&) {
      } catch (const Failure&) {
      }
    };
    for (std::size_t n = 0; n < bytes.size(); ++n) attempt(bytes.substr(0, n));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        attempt(flipped);
      }
    }
    write_bytes(folder_ / "d" / name, bytes.data(), bytes.size());
    EXPECT_NO_THROW(Dataset::open(folder_ / "d", true));
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
