#include "bioptic/data/import.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "bioptic/base/files.h"
#include "bioptic/data/image.h"
#include "bioptic/data/npy.h"
#include "bioptic/data/source.h"
#include "bioptic/data/split.h"
#include "bioptic/data/test_images.h"
#include "bioptic/data/window.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

void make_class(const fs::path& folder, int count, int side = 8, unsigned step = 3) {
  for (int i = 0; i < count; ++i) {
    write_png(folder / ("p" + std::to_string(i / 2) + "_" + std::to_string(i) + ".png"), side, side,
              1, ramp<std::uint8_t>(side, side, 1, step + static_cast<unsigned>(i)));
  }
}

template <typename T>
std::string npy_bytes(const std::string& descr, const std::vector<std::size_t>& shape,
                      const std::vector<T>& values) {
  std::string out = npy_header(descr, shape);
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return out;
}

void write_text(const fs::path& path, const std::string& text) {
  write_bytes(path, text.data(), text.size());
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ImportFolders, SplitsClassesAndPixelsArrive) {
  const TestFolder folder;
  for (const char* split : {"train", "test"}) {
    make_class(folder / "src" / split / "b", 3);
    make_class(folder / "src" / split / "a", 2);
  }
  write_text(folder / "src" / "train" / "a" / "notes.txt", "not an image");
  ImportOptions options;
  options.group = "(p\\d+)_";
  const ImportReport report = import_source(folder / "src", folder / "out", options);
  const Dataset dataset = Dataset::open(folder / "out", true);
  EXPECT_EQ(dataset.size(), 10U);
  EXPECT_EQ(dataset.info().classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(dataset.record(0).source, "test/a/p0_0.png");
  EXPECT_EQ(dataset.record(0).split, "test");
  EXPECT_EQ(dataset.record(0).group, "p0");
  EXPECT_EQ(dataset.image8(0)[3], 9);
  EXPECT_EQ(report.notes.size(), 2U);  // the text file; and one group holds 8 of these 10 images
  EXPECT_TRUE(has(error_of([&] { import_source(folder / "src", folder / "out", options); }),
                  "exists already"));
}

// Images of which one cannot be read the first time, as while a file is still being copied in.
class OnceUnreadable : public ImageSource {
 public:
  OnceUnreadable() { classes = {"a", "b"}; }
  std::size_t size() const override { return 4; }
  SourceItem item(std::size_t i) const override {
    return {"f" + std::to_string(i), static_cast<std::int64_t>(i % 2), "", "", 1};
  }
  ImageHeader header(std::size_t i) const override {
    if (i == 2 && !failed_.exchange(true)) throw InputError("f2: ends too early");
    ImageHeader header;
    header.width = header.height = 8;
    return header;
  }
  Image load(std::size_t i) const override {
    Image image;
    image.width = image.height = 8;
    image.pixels.assign(64, static_cast<std::uint16_t>(i));
    return image;
  }

 private:
  mutable std::atomic<bool> failed_{false};
};

TEST(ImportImages, WhatFailsOnceAndThenReadsWellIsNamed) {
  const TestFolder folder;
  const OnceUnreadable source;
  const std::string error = error_of([&] { import_from(source, folder / "out", "source", {}); });
  EXPECT_TRUE(has(error, "f2: ends too early (1 of 4 images cannot be read")) << error;
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST(ImportFolders, ASizeAboveMaxPixelsIsRefusedBeforeAnythingIsMade) {
  const TestFolder folder;
  for (const char* name : {"a", "b"}) make_class(folder / "src" / name, 2);
  ImportOptions options;
  options.size = 32'768;
  EXPECT_TRUE(has(error_of([&] { import_source(folder / "src", folder / "out", options); }),
                  "--size 32768: an image of it has 1073741824 pixels"));
  EXPECT_FALSE(fs::exists(folder / "out"));
  options.size = 64;
  options.max_pixels = 64 * 64;
  EXPECT_EQ(import_source(folder / "src", folder / "out", options).info.width, 64);
}

TEST(ImportFolders, TheDescriptionIsHeldAgainstItsOwnChecksum) {
  const TestFolder folder;
  for (const char* name : {"a", "b"}) make_class(folder / "src" / name, 2);
  ImportOptions options;
  options.group = "(p\\d+)_";
  import_source(folder / "src", folder / "out", options);
  const std::string good = read_file(folder / "out/dataset.json");
  for (const auto& [from, to] : {std::pair{"file name", "file bame"},
                                 {"area av", "area aw"},
                                 {"\"format_version\": 1", "\"format_version\": 2"}}) {
    std::string bad = good;
    bad.replace(bad.find(from), std::string(from).size(), to);
    write_text(folder / "out/dataset.json", bad);
    EXPECT_TRUE(has(error_of([&] { Dataset::open(folder / "out"); }), "has not the SHA-256")) << to;
  }
  std::string old = good;  // as older programs wrote it
  old.replace(old.find("description_sha256"), 18, "description_sha257");
  write_text(folder / "out/dataset.json", old);
  EXPECT_EQ(Dataset::open(folder / "out").size(), 4U);
}

TEST(ImportFolders, SplitsAreKnownInEverySpelling) {
  const std::vector<std::vector<std::string>> spellings = {{"Train", "Test"},
                                                           {"TRAIN", "TEST", "VAL"},
                                                           {"Training", "Testing"},
                                                           {"train", "valid", "Test"},
                                                           {"Validation", "training", "testing"},
                                                           {"Val", "Train", "test"}};
  for (const auto& folders : spellings) {
    const TestFolder folder;
    for (const std::string& split : folders) {
      make_class(folder / "src" / split / "a", 2);
      make_class(folder / "src" / split / "b", 1);
    }
    import_source(folder / "src", folder / "out", {});
    const Dataset dataset = Dataset::open(folder / "out");
    EXPECT_EQ(dataset.info().classes, (std::vector<std::string>{"a", "b"})) << folders[0];
    std::set<std::string> splits;
    for (std::size_t row = 0; row < dataset.size(); ++row) {
      splits.emplace(dataset.record(row).split);
    }
    EXPECT_EQ(splits.size(), folders.size());
    EXPECT_TRUE(splits.contains("train") && splits.contains("test")) << folders[0];
    EXPECT_EQ(splits.contains("val"), folders.size() == 3) << folders[0];
  }
}

TEST(ImportFolders, ClassesThatAreCalledLikeASplitStayClasses) {
  const TestFolder folder;
  make_class(folder / "classes" / "Test", 2);
  make_class(folder / "classes" / "Control", 2);
  EXPECT_EQ(import_source(folder / "classes", folder / "out", {}).info.classes,
            (std::vector<std::string>{"Control", "Test"}));
  const auto error = [&](const char* name) {
    return error_of([&] { import_source(folder / name, folder / "o2", {}); });
  };
  make_class(folder / "mixed" / "Train" / "a", 2);
  make_class(folder / "mixed" / "Test_set" / "a", 2);
  EXPECT_TRUE(has(error("mixed"), "Test_set: stands beside split folders but names no split"));
  make_class(folder / "twice" / "train" / "a", 2);
  make_class(folder / "twice" / "Training" / "a", 2);
  EXPECT_TRUE(has(error("twice"), "names the train split, as"));
  make_class(folder / "flat" / "Train", 2);
  make_class(folder / "flat" / "Test", 2);
  EXPECT_TRUE(has(error("flat"), "has no class folders"));
}

std::string joined(const std::vector<std::string>& notes) {
  std::string all;
  for (const std::string& note : notes) all += note + "\n";
  return all;
}

TEST(ImportFolders, ASearchThatFindsNoPatientsIsTold) {
  const TestFolder folder;
  make_class(folder / "src" / "a", 6);  // p0_0.png, p0_1.png, p1_2.png, ...
  make_class(folder / "src" / "b", 6);
  const auto notes = [&](const std::string& group) {
    ImportOptions options;
    options.group = group;
    fs::remove_all(folder / "out");
    return joined(import_source(folder / "src", folder / "out", options).notes);
  };
  EXPECT_EQ(notes("(p\\d+)_"), "");
  EXPECT_EQ(Dataset::open(folder / "out").record(0).group, "p0");
  const std::string none = error_of([&] { notes("patient(\\d+)"); });
  EXPECT_TRUE(has(none, "matches none of 12 file names")) << none;
  EXPECT_TRUE(has(none, "'p0_0.png' is searched")) << none;
  EXPECT_TRUE(has(none, "a/p0_0.png")) << none;
  EXPECT_TRUE(has(notes("(p[01])_"), "4 of 12 images have no group")) << notes("(p[01])_");
  EXPECT_TRUE(has(notes("(p)(\\d+)"), "The group 'p' holds 12 of 12 images"));
  // Half of the images each: no group holds most of them, but each class has one.
  for (const char* name : {"a", "b"}) {
    for (int i = 0; i < 3; ++i) {
      write_png(folder / "one" / name / (std::string(name) + std::to_string(i) + ".png"), 8, 8, 1,
                ramp<std::uint8_t>(8, 8, 1));
    }
  }
  ImportOptions options;
  options.group = "([ab])";
  const std::string whole = joined(import_source(folder / "one", folder / "whole", options).notes);
  EXPECT_TRUE(has(whole, "All 3 images of class 'a' have the one group 'a'")) << whole;
  EXPECT_TRUE(has(whole, "All 3 images of class 'b' have the one group 'b'")) << whole;
}

TEST(ImportFolders, MixedDepthsAndOrientationsAreTold) {
  const TestFolder folder;
  make_class(folder / "src" / "a", 2);
  make_class(folder / "src" / "b", 2);
  EXPECT_EQ(joined(import_source(folder / "src", folder / "plain", {}).notes), "");
  write_tiff(folder / "src" / "a" / "deep.tif", 8, 8, 1, ramp<std::uint16_t>(8, 8, 1),
             PHOTOMETRIC_MINISBLACK);
  const std::string notes = joined(import_source(folder / "src", folder / "out", {}).notes);
  EXPECT_TRUE(has(notes, "Warning: 1 images have 16 bits and 4 have 8")) << notes;

  write_jpeg(folder / "src" / "b" / "turned.jpg", 8, 8, 1, ramp<std::uint8_t>(8, 8, 1));
  std::vector<std::uint8_t> jpeg = read_bytes(folder / "src" / "b" / "turned.jpg");
  // Exif of one entry, in either byte order: 0x0112 (orientation), a short, one of them, 6.
  const std::string little("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", 26);
  const std::string big("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0", 26);
  for (const std::string& tiff : {little, big}) {
    const std::string exif = std::string("\xFF\xE1\0\x22", 4) + std::string("Exif\0\0", 6) + tiff;
    std::vector<std::uint8_t> bytes = jpeg;
    bytes.insert(bytes.begin() + 2, exif.begin(), exif.end());
    const fs::path file = folder / "src" / "b" / "turned.jpg";
    write_bytes(file, bytes.data(), bytes.size());
    EXPECT_EQ(read_image_header(file, 1 << 20).orientation, 6);
    for (std::size_t n = 2; n < bytes.size(); ++n) {  // cut off: refused or upright, never beyond
      write_bytes(folder / "cut.jpg", bytes.data(), n);
      error_of([&] { read_image_header(folder / "cut.jpg", 1 << 20); });
    }
    fs::remove_all(folder / "out");
    const std::string turned = joined(import_source(folder / "src", folder / "out", {}).notes);
    EXPECT_TRUE(has(turned, "Warning: 1 images have an orientation tag")) << turned;
    EXPECT_TRUE(has(turned, "b/turned.jpg")) << turned;
  }
}

TEST(ImportFolders, TheDatasetKeepsNoFolderAboveItsSource) {
  const TestFolder folder;
  make_class(folder / "Doe" / "src" / "a", 2);
  make_class(folder / "Doe" / "src" / "b", 2);
  for (const char* source : {"src", "src/", "src/."}) {
    fs::remove_all(folder / "out");
    import_source(folder / "Doe" / source, folder / "out", {});
    const std::string provenance = Dataset::open(folder / "out").info().provenance;
    EXPECT_TRUE(has(provenance, "\"source\":\"src\"")) << provenance;
    EXPECT_FALSE(has(provenance, "Doe")) << provenance;
  }
}

TEST(ImportFolders, WhatIsLeftOutIsNamed) {
  const TestFolder folder;
  make_class(folder / "src" / "a", 2);
  make_class(folder / "src" / "b", 2);
  const auto notes = [&](const char* name) {
    std::string all;
    for (const std::string& note : import_source(folder / name, folder / "out", {}).notes) {
      all += note + "\n";
    }
    fs::remove_all(folder / "out");
    return all;
  };
  EXPECT_EQ(notes("src"), "");
  write_text(folder / "src" / "a" / "notes.txt", "-");
  write_text(folder / "src" / "b" / "scan.Doe^Peter", "-");
  const std::string harmless = notes("src");
  EXPECT_TRUE(has(harmless, "2 files that are not JPEG, PNG or TIFF")) << harmless;
  EXPECT_TRUE(has(harmless, "left out: .txt 1, others 1.")) << harmless;
  EXPECT_FALSE(has(harmless, "Warning")) << harmless;
  write_text(folder / "src" / "a" / "1.webp", "-");
  write_text(folder / "src" / "b" / "2.WebP", "-");
  EXPECT_TRUE(has(notes("src"), "Warning: 4 files")) << notes("src");
  EXPECT_TRUE(has(notes("src"), ".webp 2")) << notes("src");

  make_class(folder / "src", 3);
  write_text(folder / "src" / "manifest.csv", "path,label\n");
  EXPECT_TRUE(has(notes("src"), "Warning: 3 images lie beside the class folders")) << notes("src");
  EXPECT_TRUE(has(notes("src"), "src/p0_0.png")) << notes("src");
  EXPECT_TRUE(has(notes("src"), "src/manifest.csv is not read")) << notes("src");

  for (const char* name : {"a", "b"}) make_class(folder / "split" / "train" / name, 2);
  make_class(folder / "split" / "test", 2);
  EXPECT_TRUE(has(notes("split"), "2 images lie beside the class folders")) << notes("split");
  EXPECT_TRUE(has(notes("split"), "split/test/p0_0.png")) << notes("split");
}

// What a system leaves in folders is neither a class nor an image, and it is said.
TEST(ImportFolders, FoldersOfSystemsAreLeftOut) {
  const TestFolder folder;
  for (const char* name : {"a", "b"}) make_class(folder / "src" / name, 2);
  const ImportReport plain = import_source(folder / "src", folder / "plain", {});
  make_class(folder / "src" / "a" / "@eaDir" / "x.png", 3);
  make_class(folder / "src" / "__MACOSX" / "a", 1);
  make_class(folder / "src" / "$RECYCLE.BIN", 1);
  fs::create_directories(folder / "src" / "lost+found");
  write_text(folder / "src" / "b" / "Thumbs.db", "-");
  const ImportReport report = import_source(folder / "src", folder / "out", {});
  const Dataset dataset = Dataset::open(folder / "out", true);
  EXPECT_EQ(dataset.info().classes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(dataset.size(), 4U);
  EXPECT_EQ(dataset.info().content_hash, Dataset::open(folder / "plain", true).info().content_hash);
  ASSERT_EQ(report.notes.size(), plain.notes.size() + 1) << report.notes.back();
  EXPECT_TRUE(has(report.notes.back(), "4 folders that a system made")) << report.notes.back();
}

TEST(ImportFolders, MasksAndSeveralFoldersOfAClassAreTold) {
  const TestFolder folder;
  for (const char* name : {"a", "b"}) {
    make_class(folder / "busi" / name, 2);
    make_class(folder / "covid" / name / "images", 2);
    make_class(folder / "covid" / name / "masks", 2);
  }
  EXPECT_TRUE(import_source(folder / "busi", folder / "1", {}).notes.empty());
  write_png(folder / "busi" / "a" / "p0_0_mask.png", 8, 8, 1, ramp<std::uint8_t>(8, 8, 1, 9));
  write_png(folder / "busi" / "a" / "lonely_mask.png", 8, 8, 1, ramp<std::uint8_t>(8, 8, 1, 8));
  const ImportReport busi = import_source(folder / "busi", folder / "2", {});
  ASSERT_EQ(busi.notes.size(), 1U);
  EXPECT_TRUE(has(busi.notes[0], "Warning: 1 file in a looks like the mask")) << busi.notes[0];
  EXPECT_TRUE(has(busi.notes[0], "a/p0_0_mask.png")) << busi.notes[0];
  const ImportReport covid = import_source(folder / "covid", folder / "3", {});
  ASSERT_EQ(covid.notes.size(), 2U);
  EXPECT_TRUE(has(covid.notes[1], "Warning: The images of b lie in 2 folders")) << covid.notes[1];
  EXPECT_TRUE(has(covid.notes[1], "images 2, masks 2")) << covid.notes[1];
}

TEST(ImportFolders, SameBytesOnAnyNumberOfThreads) {
  const TestFolder folder;
  make_class(folder / "src" / "a", 40);
  make_class(folder / "src" / "b", 40);
  ImportOptions options;
  options.size = 5;
  options.threads = 1;
  const std::string one = import_source(folder / "src", folder / "o1", options).info.content_hash;
  options.threads = 3;
  EXPECT_EQ(import_source(folder / "src", folder / "o3", options).info.content_hash, one);
}

TEST(ImportFolders, BadInputIsNamed) {
  const TestFolder folder;
  const auto error = [&](const char* name, ImportOptions options = {}) {
    const std::string message =
        error_of([&] { import_source(folder / name, folder / "out", options); });
    EXPECT_FALSE(fs::exists(folder / "out")) << name;
    return message;
  };
  EXPECT_TRUE(has(error("nowhere"), "does not exist"));

  make_class(folder / "one" / "a", 2);
  EXPECT_TRUE(has(error("one"), "one class only"));

  make_class(folder / "empty" / "a", 2);
  fs::create_directories(folder / "empty" / "b");
  EXPECT_TRUE(has(error("empty"), "b: has no image files"));

  make_class(folder / "sizes" / "a", 2, 8);
  make_class(folder / "sizes" / "b", 2, 9);
  EXPECT_TRUE(has(error("sizes"), "--size"));

  make_class(folder / "odd" / "train" / "a", 1);
  fs::create_directories(folder / "odd" / "tset");
  EXPECT_TRUE(has(error("odd"), "did you mean 'test'"));

  make_class(folder / "bad" / "a", 3);
  make_class(folder / "bad" / "b", 3);
  auto bytes = read_bytes(folder / "bad" / "b" / "p0_1.png");
  write_bytes(folder / "bad" / "b" / "p0_1.png", bytes.data(), bytes.size() / 2);
  write_text(folder / "bad" / "a" / "x.jpg", "no image");
  EXPECT_TRUE(has(error("bad"), "x.jpg"));
  // One has no header, one is cut off behind it: both are counted.
  EXPECT_TRUE(has(error("bad"), "2 of 7 images cannot be read; --skip-bad goes on without them"));
  ImportOptions skip;
  skip.skip_bad = true;
  const ImportReport report = import_source(folder / "bad", folder / "out", skip);
  EXPECT_EQ(report.info.images, 5U);
  EXPECT_EQ(report.skipped.size(), 2U);
  EXPECT_TRUE(has(Dataset::open(folder / "out").info().provenance, "\"skipped\":2"));
  EXPECT_TRUE(has(Dataset::open(folder / "out").info().provenance, "\"losses\":{}"));
}

TEST(ImportFolders, NamesThatAreNotUtf8AreEscaped) {
  const TestFolder folder;
  for (const char* name : {"erh\xF6ht/M\xFCller.png", "b/1.png"}) {
    write_png(folder / "src" / name, 4, 4, 1, ramp<std::uint8_t>(4, 4, 1, 3));
  }
  const ImportReport report = import_source(folder / "src", folder / "out", {});
  const Dataset dataset = Dataset::open(folder / "out", true);
  EXPECT_EQ(dataset.info().classes, (std::vector<std::string>{"b", "erh\\xF6ht"}));
  EXPECT_EQ(dataset.record(1).source, "erh\\xF6ht/M\\xFCller.png");
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_TRUE(has(report.notes[0], "The paths of 1 file are not UTF-8"));
  // One whose name holds the letters that stand for the other's byte.
  write_png(folder / "src" / "erh\\xF6ht" / "2.png", 4, 4, 1, ramp<std::uint8_t>(4, 4, 1, 3));
  EXPECT_TRUE(
      has(error_of([&] { import_source(folder / "src", folder / "o2", {}); }), "rename one"));
}

TEST(ImportFolders, NamesOfClassesAreOneLineAndAlikeInAllSplits) {
  const TestFolder folder;
  for (const char* name : {"a\nb/1.png", "c/1.png"}) {
    write_png(folder / "lines" / name, 4, 4, 1, ramp<std::uint8_t>(4, 4, 1, 3));
  }
  EXPECT_TRUE(has(error_of([&] { import_source(folder / "lines", folder / "out", {}); }),
                  "begins with 'a' holds a line break"));
  for (const char* name :
       {"train/caf\u00e9/1.png", "train/b/1.png", "test/cafe\u0301/1.png", "test/b/1.png"}) {
    write_png(folder / "split" / name, 4, 4, 1, ramp<std::uint8_t>(4, 4, 1, 3));
  }
  EXPECT_TRUE(has(error_of([&] { import_source(folder / "split", folder / "out", {}); }),
                  "names must be the same byte by byte"));
}

TEST(ImportArrays, IntegersAsTheyAreAndFloatsOverTheirRange) {
  const TestFolder folder;
  write_text(folder / "a.npy",
             npy_bytes<std::uint8_t>("|u1", {3, 2, 2}, ramp<std::uint8_t>(2, 2, 3)));
  write_text(folder / "b.npy",
             npy_bytes<std::uint8_t>("|u1", {2, 2, 2}, ramp<std::uint8_t>(2, 2, 2)));
  import_arrays({{"a", folder / "a.npy", ""}, {"b", folder / "b.npy", ""}}, folder / "u8", {});
  const Dataset u8 = Dataset::open(folder / "u8");
  EXPECT_EQ(u8.size(), 5U);
  EXPECT_EQ(u8.image8(1)[0], 28);

  write_text(folder / "fa.npy", npy_bytes<float>("<f4", {1, 1, 2}, {-1.0F, 0.0F}));
  write_text(folder / "fb.npy", npy_bytes<double>("<f8", {1, 1, 2}, {1.0, 0.5}));
  import_arrays({{"a", folder / "fa.npy", ""}, {"b", folder / "fb.npy", ""}}, folder / "f", {});
  const Dataset f = Dataset::open(folder / "f");
  EXPECT_EQ(f.image16(0)[0], 0);
  EXPECT_EQ(f.image16(0)[1], 32768);  // 0 is half-way from -1 to 1: 32767.5, halves up
  EXPECT_EQ(f.image16(1)[0], 65535);
  EXPECT_TRUE(has(f.info().preprocessing, "-1 to 1"));
}

TEST(ImportArrays, HaveNoNamesToSearchIn) {
  const TestFolder folder;
  write_text(folder / "a.npy",
             npy_bytes<std::uint8_t>("|u1", {3, 2, 2}, ramp<std::uint8_t>(2, 2, 3)));
  ImportOptions options;
  options.group = "a";
  EXPECT_TRUE(has(error_of([&] {
                    import_arrays({{"a", folder / "a.npy", ""}, {"b", folder / "a.npy", ""}},
                                  folder / "out", options);
                  }),
                  "arrays have no file names"));
}

TEST(ImportArrays, TheWidestRangeOfDoubles) {
  const TestFolder folder;
  const double most = std::numeric_limits<double>::max();
  write_text(folder / "a.npy", npy_bytes<double>("<f8", {1, 1, 3}, {-most, 0, most}));
  write_text(folder / "b.npy", npy_bytes<double>("<f8", {1, 1, 3}, {0, 0, most / 2}));
  import_arrays({{"a", folder / "a.npy", ""}, {"b", folder / "b.npy", ""}}, folder / "out", {});
  const Dataset dataset = Dataset::open(folder / "out");
  EXPECT_EQ(dataset.image16(0)[0], 0);
  EXPECT_EQ(dataset.image16(0)[1], 32768);
  EXPECT_EQ(dataset.image16(0)[2], 65535);
  EXPECT_EQ(dataset.image16(1)[2], 49151);  // 49151.25
}

// Two arrays of one image, 2 high and 3 wide, with every value from `first` on.
template <typename T>
std::pair<std::string, ImportReport> import_of(const TestFolder& folder, const std::string& descr,
                                               T first) {
  std::vector<T> values(6);
  for (T& v : values) v = first++;
  write_text(folder / "v.npy", npy_bytes<T>(descr, {1, 2, 3}, values));
  fs::remove_all(folder / "v");
  ImportReport report;
  const std::string error = error_of([&] {
    report =
        import_arrays({{"a", folder / "v.npy", ""}, {"b", folder / "v.npy", ""}}, folder / "v", {});
  });
  return {error, report};
}

TEST(ImportArrays, WholeNumbersKeepEveryValue) {
  const TestFolder folder;
  const auto [none, hounsfield] = import_of<std::int16_t>(folder, "<i2", -1024);
  EXPECT_EQ(none, "");
  EXPECT_EQ(Dataset::open(folder / "v").image16(0)[1], 32768 - 1023);
  ASSERT_EQ(hounsfield.notes.size(), 1U);
  EXPECT_TRUE(has(hounsfield.notes[0], "int16, -1024 to -1019, became 16 bit, 32768 added"));
  EXPECT_EQ(import_of<std::int64_t>(folder, "<i8", 250).first, "");
  EXPECT_EQ(Dataset::open(folder / "v").image8(0)[5], 255);
  EXPECT_EQ(import_of<std::int64_t>(folder, "<i8", 251).first, "");
  EXPECT_EQ(Dataset::open(folder / "v").image16(0)[5], 256);
  EXPECT_TRUE(has(import_of<std::int32_t>(folder, "<i4", 65531).first, "65531 to 65536"));
  EXPECT_TRUE(has(import_of<std::int32_t>(folder, "<i4", 65531).first, "astype(numpy.float64)"));
  EXPECT_TRUE(has(import_of<std::uint8_t>(folder, "|b1", 0).first, "uint8) * 255"));
}

TEST(ImportArrays, EveryOrderOfAxesIsRead) {
  const TestFolder folder;
  // The same two images, 2 high and 5 wide, in RGB: pixel (n, y, x, c) is 100 n + 40 y + 4 x + c.
  const auto value = [](std::size_t n, std::size_t y, std::size_t x, std::size_t c) {
    return static_cast<std::uint8_t>(100 * n + 40 * y + 4 * x + c);
  };
  std::vector<std::uint8_t> last, first, fortran;
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t y = 0; y < 2; ++y) {
      for (std::size_t x = 0; x < 5; ++x) {
        for (std::size_t c = 0; c < 3; ++c) last.push_back(value(n, y, x, c));
      }
    }
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t y = 0; y < 2; ++y) {
        for (std::size_t x = 0; x < 5; ++x) first.push_back(value(n, y, x, c));
      }
    }
  }
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t x = 0; x < 5; ++x) {
      for (std::size_t y = 0; y < 2; ++y) {
        for (std::size_t n = 0; n < 2; ++n) fortran.push_back(value(n, y, x, c));
      }
    }
  }
  std::string in_fortran = npy_bytes<std::uint8_t>("|u1", {2, 2, 5, 3}, fortran);
  in_fortran.replace(in_fortran.find("False"), 5, "True ");
  for (const std::string& bytes :
       {npy_bytes<std::uint8_t>("|u1", {2, 2, 5, 3}, last),
        npy_bytes<std::uint8_t>("|u1", {2, 3, 2, 5}, first), in_fortran}) {
    write_text(folder / "a.npy", bytes);
    fs::remove_all(folder / "out");
    import_arrays({{"a", folder / "a.npy", ""}, {"b", folder / "a.npy", ""}}, folder / "out", {});
    const Dataset dataset = Dataset::open(folder / "out");
    for (std::size_t k = 0; k < 30; ++k) {  // planes one after the other
      EXPECT_EQ(dataset.image8(1)[k], value(1, k / 5 % 2, k % 5, k / 10)) << k;
    }
  }
  write_text(folder / "a.npy",
             npy_bytes<std::uint8_t>("|u1", {8, 8, 3}, ramp<std::uint8_t>(8, 8, 3)));
  EXPECT_TRUE(has(error_of([&] {
                    import_arrays({{"a", folder / "a.npy", ""}, {"b", folder / "a.npy", ""}},
                                  folder / "one", {});
                  }),
                  "array[None]"));
}

TEST(ImportArrays, BadArraysAreNamed) {
  const TestFolder folder;
  const auto good = npy_bytes<std::uint8_t>("|u1", {1, 2, 2}, ramp<std::uint8_t>(2, 2, 1));
  write_text(folder / "good.npy", good);
  const auto error = [&](const std::string& content) {
    write_text(folder / "bad.npy", content);
    return error_of([&] {
      import_arrays({{"a", folder / "good.npy", ""}, {"b", folder / "bad.npy", ""}}, folder / "out",
                    {});
    });
  };
  const std::vector<std::int64_t> eight(4);
  EXPECT_TRUE(has(error(npy_bytes("<i8", {1, 2, 2}, eight)), "int64"));
  EXPECT_TRUE(has(error(npy_bytes("|O", {1, 2, 2}, eight)), "objects"));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"False", "Fal  "}, {"'descr'", "'shape'"}, {"'descr'", "'other'"}, {"(1", "(-"}}) {
    std::string odd = good;
    odd.replace(odd.find(from), from.size(), to);
    EXPECT_TRUE(has(error(odd), "the .npy header")) << from;
  }
  EXPECT_TRUE(has(error(good.substr(0, good.size() - 1)), "cut off"));
  EXPECT_TRUE(has(error("\x93NUMPY"), "not a .npy"));
  EXPECT_TRUE(
      has(error(npy_bytes<std::uint8_t>("|u1", {4}, ramp<std::uint8_t>(2, 2, 1))), "shape"));
  const std::vector<float> nan = {0, std::numeric_limits<float>::quiet_NaN(), 1, 2};
  EXPECT_TRUE(has(error(npy_bytes("<f4", {1, 2, 2}, nan)), "one element type"));
  write_text(folder / "good.npy", npy_bytes<float>("<f4", {1, 2, 2}, {0, 1, 2, 3}));
  EXPECT_TRUE(has(error(npy_bytes("<f4", {1, 2, 2}, nan)), "image 0 has a pixel that is NaN"));
  std::string huge = npy_header("|u1", {1, std::size_t{1} << 40, std::size_t{1} << 40});
  EXPECT_FALSE(error(huge).empty());
  // Every truncation of a header ends in a message.
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(error(good.substr(0, n)).empty()) << n;
}

void write_npz(const fs::path& path,
               const std::vector<std::pair<std::string, std::string>>& entries) {
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  for (const auto& [name, content] : entries) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    zip_file_add(archive, (name + ".npy").c_str(), source, ZIP_FL_OVERWRITE);
  }
  zip_close(archive);
}

TEST(ImportNpz, MedMnistLayout) {
  const TestFolder folder;
  const auto images = [](std::size_t n) {
    return npy_bytes<std::uint8_t>("|u1", {n, 4, 4, 3}, std::vector<std::uint8_t>(n * 48, 9));
  };
  const auto labels = [](const std::vector<std::uint8_t>& l) {
    return npy_bytes<std::uint8_t>("|u1", {l.size(), 1}, l);
  };
  write_npz(folder / "m.npz", {{"train_images", images(3)},
                               {"train_labels", labels({0, 1, 2})},
                               {"test_images", images(2)},
                               {"test_labels", labels({2, 0})}});
  import_source(folder / "m.npz", folder / "out", {});
  fs::copy(folder / "m.npz", folder / "M.NPZ");
  EXPECT_EQ(import_source(folder / "M.NPZ", folder / "capitals", {}).info.images, 5U);
  const Dataset dataset = Dataset::open(folder / "out", true);
  EXPECT_EQ(dataset.info().classes.size(), 3U);
  EXPECT_EQ(dataset.info().channels, 3);
  EXPECT_EQ(dataset.record(3).split, "test");
  EXPECT_EQ(dataset.label(3), 2);

  // NumPy takes the last of two members of one name; libzip writes none, so one is renamed.
  write_npz(folder / "twice.npz", {{"train_labelz", labels({1, 1, 0})},
                                   {"train_images", images(3)},
                                   {"train_labels", labels({0, 1, 0})}});
  std::string bytes = read_file(folder / "twice.npz");
  for (std::size_t at = 0; (at = bytes.find("train_labelz", at)) != std::string::npos; ++at) {
    bytes[at + 11] = 's';
  }
  write_bytes(folder / "twice.npz", bytes.data(), bytes.size());
  import_source(folder / "twice.npz", folder / "twice", {});
  EXPECT_EQ(Dataset::open(folder / "twice").label(0), 0);

  write_npz(folder / "short.npz", {{"train_images", images(3)}, {"train_labels", labels({0, 1})}});
  EXPECT_TRUE(has(error_of([&] { import_source(folder / "short.npz", folder / "o2", {}); }),
                  "holds 2 labels of 3 images"));
  write_npz(folder / "multi.npz",
            {{"train_images", images(2)},
             {"train_labels", npy_bytes<std::uint8_t>("|u1", {2, 3}, {0, 1, 0, 1, 0, 1})}});
  EXPECT_TRUE(has(error_of([&] { import_source(folder / "multi.npz", folder / "o2", {}); }),
                  "multi-label"));
}

// Three images with labels in that array: the classes by image, or the error.
std::string classes_by_image(const std::string& labels, std::string* note = nullptr) {
  const TestFolder folder;
  write_npz(folder / "m.npz",
            {{"train_images",
              npy_bytes<std::uint8_t>("|u1", {3, 4, 4}, std::vector<std::uint8_t>(48, 9))},
             {"train_labels", labels}});
  std::string out;
  const std::string error = error_of([&] {
    const ImportReport report = import_source(folder / "m.npz", folder / "out", {});
    if (note != nullptr) *note = report.notes.empty() ? "" : report.notes[0];
    const Dataset dataset = Dataset::open(folder / "out");
    for (std::size_t row = 0; row < 3; ++row) {
      out += dataset.info().classes[static_cast<std::size_t>(dataset.label(row))] + " ";
    }
  });
  return error.empty() ? out : error;
}

TEST(ImportNpz, LabelsOfEveryKind) {
  std::string note;
  EXPECT_EQ(classes_by_image(npy_bytes<std::uint8_t>("|u1", {3}, {1, 2, 1}), &note), "1 2 1 ");
  EXPECT_EQ(note, "The labels are 1, 2; the classes are named after them.");
  EXPECT_EQ(classes_by_image(npy_bytes<std::int8_t>("|i1", {1, 3}, {-1, 1, 1})), "-1 1 1 ");
  EXPECT_EQ(classes_by_image(npy_bytes<std::int16_t>("<i2", {3}, {0, 2, 10}), &note), "00 02 10 ");
  EXPECT_TRUE(has(note, "Warning: "));
  EXPECT_EQ(classes_by_image(npy_bytes<float>("<f4", {3, 2}, {0, 1, 1, 0, 0, 1}), &note), "1 0 1 ");
  EXPECT_TRUE(has(note, "one-hot over 2 columns"));
  EXPECT_EQ(classes_by_image(npy_bytes<double>("<f8", {3}, {0, 1, 1})), "0 1 1 ");
  EXPECT_EQ(classes_by_image(npy_bytes<std::uint8_t>("|b1", {3}, {0, 1, 1})), "0 1 1 ");
  EXPECT_EQ(classes_by_image(npy_bytes<std::uint32_t>("<U2", {3}, {0x4D, 0xFC, 0x62, 0, 0x62, 0})),
            "Mü b b ");
  EXPECT_EQ(classes_by_image(npy_header("|S2", {3}) + "ab" + std::string("c\0", 2) + "ab"),
            "ab c ab ");

  EXPECT_TRUE(has(classes_by_image(npy_bytes<std::int8_t>("|i1", {3}, {-1, 0, 1})), "labels >= 0"));
  EXPECT_TRUE(has(classes_by_image(npy_bytes<float>("<f4", {3, 2}, {.4F, .6F, 1, 0, 0, 1})),
                  "numpy.argmax(labels, axis=1)"));
  EXPECT_TRUE(has(classes_by_image(npy_bytes<double>("<f8", {3}, {0, 0.5, 1})), "no whole number"));
  EXPECT_TRUE(
      has(classes_by_image(npy_bytes<double>("<f8", {3}, {0, std::nan(""), 1})), "no label"));
  EXPECT_TRUE(has(classes_by_image(npy_header("|S2", {3}) + "abM\xFC" + "ab"), "is not UTF-8"));
  EXPECT_TRUE(
      has(classes_by_image(npy_header("|S3", {3}) + "abcnanabc"), "1 of 3 images have no label"));
}

// The twelve 2-D sets of MedMNIST (Yang et al. 2023) by their shapes.
TEST(ImportNpz, EverySetOfMedMnistAtEverySizeButTheOneOfManyLabels) {
  struct Set {
    const char* name;
    int channels, classes;
    int labels = 1;  // per image
  };
  const std::vector<Set> sets = {
      {"pathmnist", 3, 9},    {"chestmnist", 1, 2, 14}, {"dermamnist", 3, 7},
      {"octmnist", 1, 4},     {"pneumoniamnist", 1, 2}, {"retinamnist", 3, 5},
      {"breastmnist", 1, 2},  {"bloodmnist", 3, 8},     {"tissuemnist", 1, 8},
      {"organamnist", 1, 11}, {"organcmnist", 1, 11},   {"organsmnist", 1, 11}};
  const TestFolder folder;
  for (const Set& set : sets) {
    for (const std::size_t side : {28U, 64U, 128U, 224U}) {
      if (side > 64 && set.classes > 3) continue;  // the same code
      std::vector<std::pair<std::string, std::string>> arrays;
      std::size_t images = 0;
      for (const char* split : {"train", "val", "test"}) {
        const auto n = static_cast<std::size_t>(2 * set.classes);
        std::vector<std::size_t> shape = {n, side, side};
        if (set.channels == 3) shape.push_back(3);
        const std::vector<std::uint8_t> pixels(
            n * side * side * static_cast<std::size_t>(set.channels), 9);
        std::vector<std::uint8_t> labels(n * static_cast<std::size_t>(set.labels));
        for (std::size_t i = 0; i < labels.size(); ++i) {
          labels[i] = static_cast<std::uint8_t>(i % static_cast<std::size_t>(set.classes));
        }
        arrays.emplace_back(std::string(split) + "_images",
                            npy_bytes<std::uint8_t>("|u1", shape, pixels));
        arrays.emplace_back(
            std::string(split) + "_labels",
            npy_bytes<std::uint8_t>("|u1", {n, static_cast<std::size_t>(set.labels)}, labels));
        images += n;
      }
      const fs::path file = folder / (std::string(set.name) + ".npz"), out = folder / "out";
      write_npz(file, arrays);
      if (set.labels > 1) {
        const std::string why = error_of([&] { import_source(file, out, {}); });
        EXPECT_TRUE(has(why, "chestmnist.npz:train_labels")) << why;
        EXPECT_TRUE(has(why, "14 labels per image (multi-label)")) << why;
        EXPECT_FALSE(fs::exists(out));
        continue;
      }
      import_source(file, out, {});
      const Dataset dataset = Dataset::open(out, true);
      EXPECT_EQ(dataset.size(), images) << set.name;
      EXPECT_EQ(dataset.info().channels, set.channels) << set.name;
      EXPECT_EQ(dataset.info().classes.size(), static_cast<std::size_t>(set.classes)) << set.name;
      EXPECT_EQ(dataset.info().width, static_cast<int>(side)) << set.name;
      EXPECT_EQ(dataset.info().classes.front(), set.classes > 10 ? "00" : "0") << set.name;
      EXPECT_EQ(dataset.record(images / 3).split, "val") << set.name;
      fs::remove_all(out);
    }
  }
}

TEST(DatasetOpen, DamageIsFound) {
  const TestFolder folder;
  make_class(folder / "src" / "a", 3);
  make_class(folder / "src" / "b", 3);
  import_source(folder / "src", folder / "out", {});
  EXPECT_NO_THROW(Dataset::open(folder / "out", true));
  auto bytes = read_bytes(folder / "out" / "images.npy");
  bytes.back() ^= 1;
  write_bytes(folder / "out" / "images.npy", bytes.data(), bytes.size());
  EXPECT_TRUE(has(error_of([&] { Dataset::open(folder / "out", true); }), "SHA-256"));
  write_bytes(folder / "out" / "images.npy", bytes.data(), bytes.size() - 1);
  EXPECT_TRUE(has(error_of([&] { Dataset::open(folder / "out"); }), "cut off"));
  EXPECT_TRUE(has(error_of([&] { Dataset::open(folder / "src"); }), "not a dataset"));
}

// ---------------------------------------------------------------------------------------- splits

class SplitTest : public ::testing::Test {
 protected:
  SplitTest() {
    make_class(folder_ / "src" / "a", 40);
    make_class(folder_ / "src" / "b", 60);
    import_source(folder_ / "src", folder_ / "out", {});
    dataset_ = Dataset::open(folder_ / "out");
    groups_ = find_groups(dataset_, "^(p\\d+)_");
  }
  TestFolder folder_;
  Dataset dataset_ = [] {
    TestFolder temporary;
    make_class(temporary / "s" / "a", 1);
    make_class(temporary / "s" / "b", 1);
    import_source(temporary / "s", temporary / "o", {});
    return Dataset::open(temporary / "o");
  }();
  Groups groups_;
};

TEST_F(SplitTest, StratifiedByImageAndDifferentForEverySeed) {
  const SplitPlan plan = plan_splits(dataset_, groups_, {});
  const Splits zero = draw_splits(dataset_, groups_, {}, plan, 0);
  const Splits one = draw_splits(dataset_, groups_, {}, plan, 1);
  EXPECT_EQ(zero.test, one.test) << "the test split never depends on a seed";
  EXPECT_NE(zero.val, one.val);
  EXPECT_EQ(draw_splits(dataset_, groups_, {}, plan, 0).val, zero.val);
  EXPECT_EQ(zero.train.size() + zero.val.size() + zero.test.size(), 100U);
  std::size_t a = 0, pool_a = 0;
  for (const auto row : zero.val) a += dataset_.label(row) == 0 ? 1U : 0U;
  for (const auto row : plan.pool) pool_a += dataset_.label(row) == 0 ? 1U : 0U;
  EXPECT_EQ(a, static_cast<std::size_t>(0.2 * static_cast<double>(pool_a) + 0.5));
}

TEST_F(SplitTest, ByGroupNoPatientIsOnBothSides) {
  SplitSpec spec;
  spec.split_by = SplitBy::group;
  const SplitPlan plan = plan_splits(dataset_, groups_, spec);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Splits splits = draw_splits(dataset_, groups_, spec, plan, seed);
    for (const auto v : splits.val) {
      for (const auto t : splits.train) EXPECT_NE(groups_.names[v], groups_.names[t]);
    }
    for (const auto v : splits.test) {
      for (const auto t : splits.train) EXPECT_NE(groups_.names[v], groups_.names[t]);
    }
  }
}

TEST_F(SplitTest, ErrorsNameTheRemedy) {
  SplitSpec spec;
  spec.val = ValidationFrom::source;
  EXPECT_TRUE(has(error_of([&] { plan_splits(dataset_, groups_, spec); }), "\"draw\""));
  EXPECT_TRUE(has(error_of([&] { find_groups(dataset_, "(("); }), "search expression"));
}

TEST(Window, MapsLowToBlackHighToWhiteAndRoundsHalvesUp) {
  EXPECT_EQ(apply_window(100, {100, 355}), 0);
  EXPECT_EQ(apply_window(101, {100, 355}), 1);
  EXPECT_EQ(apply_window(355, {100, 355}), 255);
  EXPECT_EQ(apply_window(60000, {100, 355}), 255);
  EXPECT_EQ(apply_window(1, {0, 510}), 1);  // 0.5
}

// -------------------------------------------------------------------------------- the real images

TEST(RealImages, ImportTheXRays) {
  const char* set = std::getenv("BIOPTIC_XRAY_DIR");
  const fs::path source = set != nullptr ? fs::path(set) : fs::path("../shared/data/chest_xray");
  if (!fs::exists(source)) {
    GTEST_SKIP() << "the chest X-rays are not there; set BIOPTIC_XRAY_DIR to run this test";
  }
  const TestFolder folder;
  ImportOptions options;
  options.size = 64;
  options.channels = 1;
  import_source(source, folder / "out", options);
  const Dataset dataset = Dataset::open(folder / "out");
  EXPECT_EQ(dataset.size(), 2400U);
  const Groups groups = find_groups(dataset, "(person\\d+|IM-\\d+)");
  std::set<std::string> test_groups;
  const SplitPlan plan = plan_splits(dataset, groups, {});
  EXPECT_EQ(plan.test.size(), 400U);
  for (const auto row : plan.test) test_groups.insert(groups.names[row]);
  EXPECT_EQ(test_groups.size(), 305U);
  const Splits splits = draw_splits(dataset, groups, {}, plan, 0);
  EXPECT_EQ(splits.train.size(), 1600U);
  EXPECT_EQ(splits.val.size(), 400U);
}

}  // namespace
}  // namespace bioptic
