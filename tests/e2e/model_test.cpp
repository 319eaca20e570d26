// Saved models: eval and predict agree with what the run wrote.
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <limits>

#include "workspace.h"

namespace e2e {
namespace {

using nlohmann::json;

class Model : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    make_images("images");
    make_study("s", "save_models = \"all\"");
    ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  }
};

TEST_F(Model, EvalGivesTheAccuracyOfTheTable) {
  for (const auto& trial : read_table(at("runs/s/tables/trials.csv"))) {
    const std::string model =
        fmt::format("@runs/s/models/{}-seed{}.safetensors", trial.at("arm"), trial.at("seed"));
    const json j = json_of("eval " + model + " --data @images");
    EXPECT_EQ(j.at("accuracy").get<double>(), std::stod(trial.at("test_accuracy")));
    EXPECT_EQ(j.at("loss").get<double>(), std::stod(trial.at("test_loss")));
    EXPECT_EQ(j.at("images"), 30);
    EXPECT_EQ(j.at("positive"), "sick");
    EXPECT_LT(j.at("accuracy_low"), j.at("accuracy"));
  }
  const Outcome text = bioptic("eval @runs/s/models/cosine-seed0.safetensors --data @images");
  EXPECT_EQ(text.code, 0);
  EXPECT_NE(text.out.find("threshold 0.5"), std::string::npos) << text.out;
}

TEST_F(Model, EvalNamesASplitThatTheSourceLacks) {
  const Outcome outcome =
      bioptic("eval @runs/s/models/cosine-seed0.safetensors --data @images --split val");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("predictions.csv"), std::string::npos) << outcome.err;
}

TEST_F(Model, EvalSaysWhenImagesWereTrainedOn) {
  const std::string command =
      "eval @runs/s/models/cosine-seed0.safetensors --data @images --split ";
  EXPECT_TRUE(json_of(command + "train").contains("warning"));
  EXPECT_TRUE(json_of(command + "all").contains("warning"));
  EXPECT_FALSE(json_of(command + "test").contains("warning"));
}

TEST_F(Model, PredictGivesTheScoresOfTheTable) {
  // predictions.csv names images by their number; the dataset's index by their file.
  const std::string folder =
      json::parse(read(at("runs/s/summary.json"))).at("dataset").at("path").get<std::string>();
  std::map<std::string, std::string> file_of;
  for (const auto& row : read_table(std::filesystem::path(folder) / "index.csv")) {
    file_of[row.at("id")] = row.at("source");
  }
  int compared = 0;
  for (const auto& row : read_table(at("runs/s/tables/predictions.csv"))) {
    if (row.at("arm") != "cosine" || row.at("seed") != "1" || row.at("split") != "test") continue;
    if (++compared > 5) break;
    const json j = json_of("predict @runs/s/models/cosine-seed1.safetensors @images/" +
                           file_of.at(row.at("image")));
    const json& one = j.at("predictions").at(0);
    EXPECT_EQ(one.at("scores").at("sick").get<float>(), std::stof(row.at("score")));
    EXPECT_EQ(one.at("predicted"), std::stof(row.at("score")) > 0.5F ? "sick" : "healthy");
  }
  EXPECT_GT(compared, 5);
}

// Both kinds of preprocessing that are not "square and stretched" come back from the model file.
TEST_F(Workspace, ImagesThatAreNotSquare) {
  make_images("images", 30, 8, 18);
  make_study("s");
  ASSERT_EQ(bioptic("data import @images @padded --size 16 --fit pad").code, 0);
  for (const std::string data : {"images", "padded"}) {
    const Outcome run = bioptic("run @s.toml --out @runs-" + data + " --data @" + data);
    ASSERT_EQ(run.code, 0) << run.err;
    const std::string model = "@runs-" + data + "/s/models/cosine-seed0.safetensors";
    const json j = json_of("eval " + model + " --data @images");
    for (const auto& row : read_table(at("runs-" + data + "/s/tables/trials.csv"))) {
      if (row.at("arm") == "cosine" && row.at("seed") == "0") {
        EXPECT_EQ(j.at("loss").get<double>(), std::stod(row.at("test_loss"))) << data;
      }
    }
    const Outcome predicted = bioptic("predict " + model + " @images/test/sick/person0_0.tiff");
    EXPECT_EQ(predicted.code, 0) << predicted.err;
  }
}

TEST_F(Workspace, EvalTellsImagesThatWereMadeInAnotherWay) {
  make_images("images", 30, 8, 18);
  make_study("s");
  for (const char* fit : {"pad", "crop"}) {
    ASSERT_EQ(bioptic(fmt::format("data import @images @{} --size 16 --fit {}", fit, fit)).code, 0);
  }
  ASSERT_EQ(bioptic("run @s.toml --out @runs --data @crop").code, 0);
  const std::string eval = "eval @runs/s/models/cosine-seed0.safetensors --data ";
  const Outcome other = bioptic(eval + "@pad --json");
  EXPECT_EQ(other.code, 0);
  EXPECT_NE(other.err.find("fit: crop in training, pad here"), std::string::npos) << other.err;
  const json expected = {{{"what", "fit"}, {"model", "crop"}, {"data", "pad"}}};
  EXPECT_EQ(json::parse(other.out).at("preprocessing_differences"), expected);
  for (const char* same : {"@crop --json", "@images --json"}) {
    const Outcome outcome = bioptic(eval + same);
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(json::parse(outcome.out).at("preprocessing_differences"), json::array());
  }
}

// The model after `change` was done to its metadata, as one of a program that left no checksum of
// them.
template <typename Change>
std::string with_metadata(const std::string& model, const Change& change) {
  std::uint64_t length = 0;
  std::memcpy(&length, model.data(), sizeof length);
  nlohmann::json header = nlohmann::json::parse(model.substr(sizeof length, length));
  header.at("__metadata__").erase("metadata_sha256");
  change(header.at("__metadata__"));
  const std::string text = header.dump();
  const std::uint64_t now = text.size();
  return std::string(reinterpret_cast<const char*>(&now), sizeof now) + text +
         model.substr(sizeof length + length);
}

std::string prepared_by(const std::string& model, const std::string& preprocessing) {
  return with_metadata(model, [&](json& m) { m.at("preprocessing") = preprocessing; });
}

TEST_F(Model, DamagedModelsAreRefused) {
  const std::string good = read(at("runs/s/models/cosine-seed0.safetensors"));
  std::string huge = good;
  for (std::size_t i = 0; i < 8; ++i) huge[i] = '\x7f';
  std::string other = good;
  other.replace(other.find("F32"), 3, "F16");
  // Deeper than the stack, in a text within the header.
  const std::string deep =
      "{\"fit\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  const std::map<std::string, std::string> bad = {{"empty", ""},
                                                  {"short", good.substr(0, 5)},
                                                  {"cut", good.substr(0, good.size() - 10)},
                                                  {"header", good.substr(0, 50)},
                                                  {"length", huge},
                                                  {"type", other},
                                                  {"text", "not a model at all, just text"},
                                                  {"nested", prepared_by(good, deep)},
                                                  {"list", prepared_by(good, "[1]")}};
  for (const auto& [name, bytes] : bad) {
    write(at(name + ".safetensors"), bytes);
    const Outcome outcome = bioptic("eval @" + name + ".safetensors --data @images");
    EXPECT_EQ(outcome.code, 2) << name << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(name + ".safetensors"), std::string::npos) << outcome.err;
  }
}

TEST_F(Model, ModelsWithOtherWeightsThanTheirsAreRefused) {
  const std::string good = read(at("runs/s/models/cosine-seed0.safetensors"));
  std::string flipped = good;
  flipped[flipped.size() - 5] ^= 1;  // the lowest bit of a byte of the last layer's weights
  std::string nan = with_metadata(good, [](json& m) { m.erase("weights_sha256"); });
  const float not_a_number = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(&nan[nan.size() - 8], &not_a_number, sizeof not_a_number);
  const auto threshold = [&](const char* text) {
    return with_metadata(good, [&](json& m) { m.at("threshold") = text; });
  };
  const std::map<std::string, std::pair<std::string, std::string>> bad = {
      {"flipped", {flipped, "not those that were saved"}},
      {"nan", {nan, "finite"}},
      {"threshold-nan", {threshold("nan"), "threshold"}},
      {"threshold-inf", {threshold("inf"), "threshold"}}};
  for (const auto& [name, what] : bad) {
    write(at(name + ".safetensors"), what.first);
    for (const std::string& use :
         {"eval @" + name + ".safetensors --data @images",
          "predict @" + name + ".safetensors @images/test/sick/person0_0.tiff"}) {
      const Outcome outcome = bioptic(use);
      EXPECT_EQ(outcome.code, 2) << use << "\n" << outcome.out << outcome.err;
      EXPECT_NE(outcome.err.find(name + ".safetensors"), std::string::npos) << outcome.err;
      EXPECT_NE(outcome.err.find(what.second), std::string::npos) << outcome.err;
    }
  }
}

TEST_F(Model, ModelsWithOtherMetadataThanTheirsAreRefused) {
  const std::string path = "runs/s/models/cosine-seed0.safetensors";
  const std::string good = read(at(path));
  const auto check = [&] { return bioptic("check @runs"); };
  const auto eval = [&] { return bioptic("eval @" + path + " --data @images"); };
  EXPECT_NE(check().out.find("weights and metadata as written"), std::string::npos);
  const std::string said = eval().out;

  std::string other = good;
  const std::string fixed = "\"threshold\":\"0.5\"";
  ASSERT_NE(other.find(fixed), std::string::npos);
  other.replace(other.find(fixed), fixed.size(), "\"threshold\":\"0.7\"");
  write(at(path), other);
  const Outcome refused = eval();
  EXPECT_EQ(refused.code, 2) << refused.out;
  EXPECT_NE(refused.err.find("metadata are not those that were saved"), std::string::npos)
      << refused.err;
  const Outcome found = check();
  EXPECT_EQ(found.code, 1);
  EXPECT_NE(found.out.find("metadata are not those that were saved"), std::string::npos);

  // Hashes of images may be taken out (docs/prediction.md).
  write(at(path), with_metadata(good, [&](json& m) {
          json kept;
          for (const auto& [key, text] : m.items()) {
            if (key.find("pixel_hashes_") != 0) kept[key] = text;
          }
          const std::size_t value = good.find("\"metadata_sha256\":\"") + 19;
          kept["metadata_sha256"] = good.substr(value, 64);
          m = kept;
        }));
  EXPECT_EQ(check().code, 0);
  EXPECT_EQ(eval().out, said);

  // As an older program saved it.
  write(at(path), with_metadata(good, [](json&) {}));
  EXPECT_EQ(eval().out, said);
  const Outcome old = check();
  EXPECT_EQ(old.code, 0);
  EXPECT_NE(old.out.find("its metadata have no checksum"), std::string::npos) << old.out;
}

// It may be whole, behind a disk that fails.
TEST_F(Model, WhatCannotBeReadIsNotMovedAway) {
  const std::filesystem::path model = at("runs/s/models/cosine-seed0.safetensors");
  std::filesystem::remove(model);
  std::filesystem::create_directory(model);
  const Outcome outcome = bioptic("run @s.toml --out @runs");
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_NE(outcome.err.find("cosine-seed0.safetensors: is not a regular file"), std::string::npos)
      << outcome.err;
  EXPECT_TRUE(std::filesystem::is_directory(model));
}

}  // namespace
}  // namespace e2e
