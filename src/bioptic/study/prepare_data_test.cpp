// A trial's id says which pixels it saw only if they are the ones that the hash was made of.
#include "bioptic/study/prepare_data.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/data/png.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class PrepareData : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(out_);
    ::setenv("BIOPTIC_CACHE", (out_ / "cache").c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("BIOPTIC_CACHE");
    fs::remove_all(out_);
  }

  void write_dataset(PixelType dtype) const {
    DatasetInfo info;
    info.dtype = dtype;
    info.height = info.width = 4;
    info.classes = {"no", "yes"};
    info.preprocessing = info.provenance = "{}";
    DatasetWriter writer(out_ / "data", info);
    for (int i = 0; i < 40; ++i) {
      const ImageRecord record{
          {}, "image" + std::to_string(i), i % 2, i < 28 ? "train" : "test", ""};
      if (dtype == PixelType::uint8) {
        const std::vector<std::uint8_t> pixels(16, static_cast<std::uint8_t>(i));
        writer.add(std::span(pixels), record);
      } else {
        const std::vector<std::uint16_t> pixels(16, static_cast<std::uint16_t>(i));
        writer.add(std::span(pixels), record);
      }
    }
    writer.finish();
  }

  PreparedData prepare(const std::string& source) const {
    write_file(out_ / "s.toml", "[study]\nname = \"s\"\n[data]\nsource = \"" + source +
                                    "\"\n[train]\nepochs = 1\n[[arm]]\nname = \"a\"\n");
    PrepareOptions options;
    options.out = out_;
    return prepare_data(parse_study(out_ / "s.toml"), options);
  }

  // Changes the last pixel in place; size and headers stay.
  static void damage(const fs::path& folder) {
    std::fstream file(folder / "images.npy", std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-1, std::ios::end);
    const int byte = file.peek();
    file.seekp(-1, std::ios::end);
    file.put(static_cast<char>(byte ^ 1));
  }

  fs::path in_cache(const std::string& prefix) const {
    for (const auto& entry : fs::directory_iterator(out_ / "cache")) {
      if (entry.path().filename().string().starts_with(prefix)) return entry.path();
    }
    ADD_FAILURE() << "no " << prefix << " in the cache";
    return {};
  }

  void expect_refused(const std::string& source, const fs::path& folder,
                      const std::string& remedy) const {
    try {
      prepare(source);
      ADD_FAILURE() << folder << " was taken though its pixels changed";
    } catch (const InputError& e) {
      const std::string said = e.what();
      const std::string recorded = [&] {
        const std::string text = read_file(folder / "dataset.json");
        const std::string key = "\"content_sha256\": \"";
        return text.substr(text.find(key) + key.size(), 16);
      }();
      EXPECT_TRUE(said.starts_with(folder.string() + ": its content has the SHA-256 ")) << said;
      EXPECT_NE(said.find("dataset.json records " + recorded), std::string::npos) << said;
      EXPECT_NE(said.find(remedy), std::string::npos) << said;
    }
  }

  fs::path out_ = fs::temp_directory_path() /
                  temporary_beside("prepare" + std::to_string(::getpid())).filename();
};

// Results on simulated images are not to be taken for those of one's own.
TEST_F(PrepareData, SaysThatAStudyWithoutDataIsOfThePhantom) {
  const auto notes = [&](const std::string& data) {
    write_file(out_ / "s.toml",
               "[study]\nname = \"s\"\n" + data + "[train]\nepochs = 1\n[[arm]]\nname = \"a\"\n");
    StudySpec study = parse_study(out_ / "s.toml");
    study.data.phantom.train = study.data.phantom.test = 40;
    study.data.phantom.size = 32;
    PrepareOptions options;
    options.out = out_;
    const PreparedData prepared = prepare_data(study, options);
    EXPECT_EQ(prepared.source.find("simulated images"), 0U) << prepared.source;
    std::string all;
    for (const std::string& note : prepared.notes) all += note + "\n";
    return all;
  };
  EXPECT_NE(notes("").find("Simulated images (the phantom), no real ones: this study names no "
                           "[data]."),
            std::string::npos);
  EXPECT_NE(notes("[data]\nval_fraction = 0.2\n").find("names no [data] source."),
            std::string::npos);
  EXPECT_EQ(notes("[data]\nsource = \"phantom\"\n").find("names no"), std::string::npos);
}

TEST_F(PrepareData, RefusesADatasetWhosePixelsChanged) {
  write_dataset(PixelType::uint8);
  EXPECT_NO_THROW(prepare("data"));
  damage(out_ / "data");
  expect_refused("data", out_ / "data", "import the source again");
}

TEST_F(PrepareData, RefusesACachedWindowWhosePixelsChanged) {
  write_dataset(PixelType::uint16);
  EXPECT_NO_THROW(prepare("data"));
  const fs::path folder = in_cache("window-");
  damage(folder);
  expect_refused("data", folder, "remove " + folder.string());
  fs::remove_all(folder);
  EXPECT_NO_THROW(prepare("data"));
}

TEST_F(PrepareData, RefusesACachedImportWhosePixelsChanged) {
  for (const char* split : {"train", "test"}) {
    for (const char* name : {"no", "yes"}) {
      for (int i = 0; i < 10; ++i) {
        const fs::path folder = out_ / "images" / split / name;
        fs::create_directories(folder);
        const std::vector<std::uint8_t> pixels(16, static_cast<std::uint8_t>(i));
        write_file(folder / (std::to_string(i) + ".png"), png_bytes(4, 4, 1, pixels));
      }
    }
  }
  EXPECT_NO_THROW(prepare("images"));
  const fs::path folder = in_cache("import-");
  damage(folder / "dataset");
  expect_refused("images", folder / "dataset", "remove " + folder.string() + ",");
}

}  // namespace
}  // namespace bioptic
