// Images that a saved model is not for, and those that it has seen.
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <set>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSide = 24;
constexpr int kPixels = kSide * kSide;

// An RGB TIFF, not compressed; value: of the pixel and channel.
template <typename Value>
void write_colour_tiff(const fs::path& file, int width, int height, const Value& value) {
  std::string bytes;
  const auto put = [&](std::uint32_t number, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i) & 255U);
  };
  const auto tag = [&](std::uint32_t id, std::uint32_t type, std::uint32_t count,
                       std::uint32_t number) {
    put(id, 2);
    put(type, 2);  // 3 = 16 bit, 4 = 32 bit
    put(count, 4);
    put(number, 4);
  };
  constexpr std::uint32_t kTags = 9, kBits = 8 + 2 + 12 * kTags + 4, kAt = kBits + 6;
  const auto w = static_cast<std::uint32_t>(width), h = static_cast<std::uint32_t>(height);
  bytes += "II*";
  put(0, 1);
  put(8, 4);
  put(kTags, 2);
  tag(256, 4, 1, w);
  tag(257, 4, 1, h);
  tag(258, 3, 3, kBits);
  tag(259, 3, 1, 1);  // not compressed
  tag(262, 3, 1, 2);  // RGB
  tag(273, 4, 1, kAt);
  tag(277, 3, 1, 3);
  tag(278, 4, 1, h);
  tag(279, 4, 1, 3 * w * h);
  put(0, 4);
  for (int c = 0; c < 3; ++c) put(8, 2);
  for (int p = 0; p < width * height; ++p) {
    for (int c = 0; c < 3; ++c) put(static_cast<std::uint32_t>(value(p, c)), 1);
  }
  write(file, bytes);
}

// The model after `change` was done to its metadata, as one of a program that left no checksum of
// them.
template <typename Change>
std::string with_metadata(const std::string& model, const Change& change) {
  std::uint64_t length = 0;
  std::memcpy(&length, model.data(), sizeof length);
  json header = json::parse(model.substr(sizeof length, length));
  header.at("__metadata__").erase("metadata_sha256");
  change(header.at("__metadata__"));
  const std::string text = header.dump();
  const std::uint64_t now = text.size();
  return std::string(reinterpret_cast<const char*>(&now), sizeof now) + text +
         model.substr(sizeof length + length);
}

class Foreign : public Workspace {
 protected:
  const std::string kModel = "@runs/s/models/cosine-seed0.safetensors";

  void train(int bits = 8) {
    make_images("images", 60, bits);
    make_study("s");
    run();
  }
  void run() const {
    const Outcome outcome = bioptic("run @s.toml --out @runs");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  // The same images in folders of classes alone, under other names.
  void without_splits(const std::string& from, const std::string& to) const {
    int number = 0;
    for (const char* split : {"train", "test"}) {
      for (const char* kind : {"healthy", "sick"}) {
        std::set<fs::path> files;
        for (const auto& file : fs::directory_iterator(at(from) / split / kind)) {
          files.insert(file.path());
        }
        fs::create_directories(at(to) / kind);
        for (const fs::path& file : files) {
          fs::copy_file(file, at(to) / kind / fmt::format("image{}.tiff", number++));
        }
      }
    }
  }
  json predicted(const std::string& file) const {
    return json_of("predict " + kModel + " @" + file).at("predictions").at(0);
  }
  // The reasons, joined; and the warning says them too.
  std::string unlike(const std::string& file) const {
    std::string reasons;
    const json one = predicted(file);
    for (const auto& reason : one.at("unlike_training")) {
      reasons += reason.get<std::string>() + "\n";
    }
    const Outcome outcome = bioptic("predict " + kModel + " @" + file);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err.find("unlike") == std::string::npos, reasons.empty()) << outcome.err;
    return reasons;
  }
};

TEST_F(Foreign, PredictSaysWhatIsUnlikeTheTrainingImages) {
  train();
  for (const char* own :
       {"images/test/sick/person0_0.tiff", "images/test/healthy/person3_6.tiff"}) {
    EXPECT_EQ(unlike(own), "") << own;
    EXPECT_EQ(predicted(own).at("unlike_training"), json::array()) << own;
  }
  write_tiff(at("white.tiff"), kSide, kSide, 8, std::vector<unsigned>(kPixels, 255));
  write_tiff(at("small.tiff"), 6, 6, 8, std::vector<unsigned>(36, 80));
  write_tiff(at("long.tiff"), 96, 24, 8, std::vector<unsigned>(96 * 24, 80));
  // Its luma is like that of the training images: only its colours tell.
  write_colour_tiff(at("colour.tiff"), kSide, kSide, [](int p, int channel) {
    const int noise = p * 7919 % 61;
    return channel == 0 ? 110 + noise : channel == 1 ? 40 + noise : 60 + noise;
  });
  const std::string white = unlike("white.tiff");
  EXPECT_NE(white.find("mean grey value 255, in training"), std::string::npos) << white;
  EXPECT_NE(white.find("white pixels 100 %"), std::string::npos) << white;
  EXPECT_NE(unlike("small.tiff").find("6 x 6 pixels, enlarged 4.0 times to 24 x 24"),
            std::string::npos);
  EXPECT_NE(unlike("long.tiff").find("width / height 4.00, in training 1.00 to 1.00"),
            std::string::npos);
  EXPECT_NE(unlike("colour.tiff").find("in colour (its colours differ by 70.0 grey values"),
            std::string::npos);
  const Outcome all =
      bioptic("predict " + kModel + " @white.tiff @small.tiff @images/test/sick/person0_0.tiff");
  EXPECT_NE(all.err.find("2 of 3 images are unlike those that the model was trained on"),
            std::string::npos)
      << all.err;
}

TEST_F(Foreign, EvalCountsWhatIsUnlikeTheTrainingImages) {
  train();
  make_images("other", 30);
  for (const char* kind : {"healthy", "sick"}) {
    for (const auto& file : fs::directory_iterator(at("other/test") / kind)) {
      const auto number =
          static_cast<unsigned>(std::hash<std::string>{}(file.path().string()) % 97);
      write_tiff(file.path(), kSide, kSide, 8, std::vector<unsigned>(kPixels, 100 + number));
    }
  }
  const json own = json_of("eval " + kModel + " --data @images");
  EXPECT_EQ(own.at("unlike_training"), json::array());
  const json other = json_of("eval " + kModel + " --data @other");
  EXPECT_EQ(other.at("unlike_training").size(), other.at("images"));
  EXPECT_EQ(other.at("trained_on"), 0);
  const Outcome text = bioptic("eval " + kModel + " --data @other");
  EXPECT_NE(text.err.find("30 of 30 images are unlike"), std::string::npos) << text.err;
  EXPECT_NE(text.err.find("and 27 more"), std::string::npos) << text.err;
  EXPECT_EQ(other.at("unlike_training_source"), json::array());
  write_colour_tiff(at("other/test/sick/person0_0.tiff"), kSide, kSide,
                    [](int, int channel) { return 60 + 50 * channel; });
  const json colour = json_of("eval " + kModel + " --data @other");
  ASSERT_EQ(colour.at("unlike_training_source").size(), 1U);
  EXPECT_NE(colour.at("unlike_training_source")[0].get<std::string>().find("in colour"),
            std::string::npos);
}

TEST_F(Foreign, ImagesThatWereTrainedOnAreKnownFromAnyFolder) {
  train();
  without_splits("images", "copy");
  // 96 of 120 are trained on and 24 validated; the other 60 are tested.
  const json all = json_of("eval " + kModel + " --data @copy --split all");
  EXPECT_EQ(all.at("images"), 180);
  EXPECT_EQ(all.at("trained_on"), 96);
  EXPECT_EQ(all.at("validated_on"), 24);
  EXPECT_NE(all.at("warning").get<std::string>().find("96 of 180 images were trained on"),
            std::string::npos);
  int trained = 0, validated = 0;
  for (int i = 0; i < 12; ++i) {
    const json one = predicted(fmt::format("copy/healthy/image{}.tiff", i));
    trained += one.at("trained_on").get<bool>() ? 1 : 0;
    validated += one.at("validated_on").get<bool>() ? 1 : 0;
  }
  EXPECT_EQ(trained + validated, 12);
  EXPECT_GT(trained, 0);
  const json test = predicted("images/test/sick/person0_0.tiff");
  EXPECT_FALSE(test.at("trained_on").get<bool>() || test.at("validated_on").get<bool>());
  const Outcome said = bioptic("predict " + kModel + " @images/test/sick/person0_0.tiff " +
                               "@images/train/sick/person0_0.tiff");
  EXPECT_NE(said.err.find("1 of 2 images was "), std::string::npos) << said.err;
}

TEST_F(Foreign, SixteenBitImagesAreKnownToo) {
  train(16);
  const json all = json_of("eval " + kModel + " --data @images --split all");
  EXPECT_EQ(all.at("trained_on"), 96);
  EXPECT_EQ(all.at("validated_on"), 24);
  EXPECT_EQ(all.at("unlike_training"), json::array());
  EXPECT_EQ(json_of("eval " + kModel + " --data @images").at("trained_on"), 0);
}

TEST_F(Foreign, EvalFindsTheTestSplitThatTheStudyDrew) {
  make_images("split", 60);
  without_splits("split", "images");
  without_splits("split", "moved");
  fs::rename(at("moved/sick/image60.tiff"), at("moved/sick/first.tiff"));
  make_study("s");
  run();
  double accuracy = -1;
  for (const auto& row : read_table(at("runs/s/tables/trials.csv"))) {
    if (row.at("arm") == "cosine" && row.at("seed") == "0") {
      accuracy = std::stod(row.at("test_accuracy"));
    }
  }
  const std::map<std::string, std::string> from = {{"images", "drawn"}, {"moved", "pixels"}};
  for (const auto& [folder, how] : from) {
    const json eval = json_of("eval " + kModel + " --data @" + folder);
    EXPECT_EQ(eval.at("images"), 36) << "a fifth of 180";
    EXPECT_EQ(eval.at("split_from"), how) << folder;
    EXPECT_EQ(eval.at("accuracy").get<double>(), accuracy) << folder;
    EXPECT_EQ(eval.at("trained_on"), 0) << folder;
    EXPECT_FALSE(eval.contains("warning")) << folder;
    const Outcome text = bioptic("eval " + kModel + " --data @" + folder);
    EXPECT_NE(text.out.find("(test, as its study drew it"), std::string::npos) << text.out;
  }
  // Other images without a test split.
  for (const char* kind : {"healthy", "sick"}) fs::remove_all(at("moved") / kind);
  fs::create_directories(at("moved/sick"));
  fs::create_directories(at("moved/healthy"));
  for (int i = 0; i < 4; ++i) {
    write_tiff(at(fmt::format("moved/{}/{}.tiff", i % 2 == 0 ? "sick" : "healthy", i)), kSide,
               kSide, 8, std::vector<unsigned>(kPixels, static_cast<unsigned>(80 + i)));
  }
  const Outcome none = bioptic("eval " + kModel + " --data @moved");
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.err.find("--split all"), std::string::npos) << none.err;
}

TEST_F(Foreign, AModelThatDoesNotRememberSaysSoOnce) {
  train();
  const std::string now = read(at("runs/s/models/cosine-seed0.safetensors"));
  write(at("old.safetensors"), with_metadata(now, [](json& m) {
          for (const char* key :
               {"training_images", "source_images", "pixel_hashes_train", "pixel_hashes_val"}) {
            EXPECT_EQ(m.erase(key), 1U) << key;
          }
        }));
  for (const char* use : {"eval @old.safetensors --data @images",
                          "predict @old.safetensors @images/test/sick/person0_0.tiff "
                          "@images/test/sick/person0_1.tiff"}) {
    const Outcome outcome = bioptic(use);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const std::size_t said = outcome.err.find("is not checked");
    EXPECT_NE(said, std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find("is not checked", said + 1), std::string::npos) << outcome.err;
  }
  const json eval = json_of("eval @old.safetensors --data @images");
  EXPECT_TRUE(eval.at("trained_on").is_null() && eval.at("unlike_training").is_null());
  EXPECT_EQ(eval.at("accuracy"), json_of("eval " + kModel + " --data @images").at("accuracy"));
  EXPECT_TRUE(json_of("eval @old.safetensors --data @images --split train").contains("warning"));
}

TEST_F(Foreign, DamagedRecordsAreRefused) {
  train();
  const std::string good = read(at("runs/s/models/cosine-seed0.safetensors"));
  const std::map<std::string, std::string> bad = {{"training_images", "{}"},
                                                  {"pixel_hashes_train", "0123"},
                                                  {"pixel_hashes_val", std::string(16, 'x')}};
  for (const auto& [key, text] : bad) {
    write(at("bad.safetensors"), with_metadata(good, [&](json& m) { m.at(key) = text; }));
    const Outcome outcome = bioptic("eval @bad.safetensors --data @images");
    EXPECT_EQ(outcome.code, 2) << key << outcome.err;
    EXPECT_NE(outcome.err.find("bad.safetensors"), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace e2e
