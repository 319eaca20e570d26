// Small files of the kinds that this folder and model/ read, cut off at every byte and with every
// bit of every header byte flipped: each is read or refused by a message that names it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/test_damage.h"
#include "bioptic/model/safetensors.h"
#include "bioptic/study/check_stored.h"
#include "bioptic/study/model_file.h"
#include "bioptic/study/read_predictions.h"
#include "bioptic/study/spec.h"
#include "bioptic/study/summarise.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class HostileStudy : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  // What is read of a text; the file is always "try".
  using Read = std::function<std::string(const std::string& text)>;
  static DamageCounts try_all(const std::string& kind, const std::string& text, std::size_t header,
                              bool of_lines, const Read& read) {
    return damage({kind, text, header, 8, of_lines, read, [](const std::string& message) {
                     return message.find("try") != std::string::npos ||
                            message.find("arm") !=
                                std::string::npos;  // or the arms that do not fit
                   }});
  }
  fs::path file(const std::string& text) const {
    std::ofstream(folder_ / "try", std::ios::binary) << text;
    return folder_ / "try";
  }

 private:
  fs::path folder_ = fs::temp_directory_path() / temporary_beside("hostile-study").filename();
};

TEST_F(HostileStudy, Toml) {
  const std::string text =
      "[study]\nname = \"s\"\nseeds = 2\nvary = [\"init\", \"order\"]\n[data]\nsource = "
      "\"phantom\"\n"
      "phantom = { train = 200, test = 80 }\nsize = 32\n[train]\nepochs = 2\n"
      "model = { kind = \"mlp\", hidden = [4] }\nloss = \"cross_entropy\"\n"
      "optimizer = { kind = \"sgd\", lr = 0.1, momentum = 0.9 }\n"
      "scheduler = { kind = \"cosine\" }\n[[arm]]\nname = \"a\"\nbatch_size = 5\n"
      "[[arm]]\nname = \"b\"\nbatch_size = 8\n";
  try_all("study (TOML)", text, text.size(), true, [](const std::string& changed) {
    const StudySpec study = parse_study_text(changed, "try.toml");
    std::string ids;
    for (const PlannedTrial& trial : expand(study, {"hash", {"a", "b"}, false}, "fused", 1)) {
      ids += trial.id + "\n";
    }
    return ids;
  });
}

TEST_F(HostileStudy, Predictions) {
  const std::string text =
      "arm,seed,image,label,score,split,group\na,0,x,0,0.2,test,g\na,0,\"y,1\",1,0.9,test,h\n"
      "b,0,x,0,0.7,test,g\nb,0,\"y,1\",1,nan,test,h\n";
  try_all("predictions (CSV)", text, text.size(), true, [this](const std::string& changed) {
    const fs::path files[] = {file(changed)};
    std::string found;
    for (const PredictedArm& arm : read_predictions(files, {}).arms) {
      for (const PredictedTrial& trial : arm.trials) {
        found += fmt::format("{} {} {}\n", arm.name, trial.seed, fmt::join(trial.scores, " "));
      }
    }
    return found;
  });
}

TEST_F(HostileStudy, Safetensors) {
  TrainSpec train;
  train.model.hidden = {3};
  train.early_stopping.emplace();
  const Parameters parameters = initial_parameters(layer_shapes(4, train.model, 1), 1);
  const std::string text = to_safetensors(
      parameters, false,
      {{"bioptic_model", "1"},
       {"classes", "a\nb"},
       {"positive", "b"},
       {"channels", "1"},
       {"height", "2"},
       {"width", "2"},
       {"fit", "stretch"},
       {"preprocessing", R"({"window":[0,4095]})"},
       {"dataset_sha256", "0"},
       {"validation", "drawn"},
       {"split", R"({"split_by":"group","test_fraction":0.2,"val":"draw","val_fraction":0.25})"},
       {"group", "p"},
       {"train", canonical_json(train)},
       {"threshold", "0.5"},
       {"threshold_rule", "fixed"},
       {"training_images",
        R"({"channels":1,"images":2,"layout":[0,255],"ranges":{"black":[0,0],"contrast":[9,60.5],)"
        R"("layout":[-1,1],"mean":[10,90.5],"steps":[0,1],"white":[0,0]}})"},
       {"pixel_hashes_train", "0123456789abcdeffedcba9876543210"}});
  std::size_t tensors = 0;
  for (const LayerParameters& layer : parameters.layers) {
    tensors += 4 * (layer.weight.size() + layer.bias.size());
  }
  const DamageCounts counts = try_all(
      "model (safetensors)", text, text.size() - tensors, false,
      [this](const std::string& changed) {
        const fs::path path = file(changed);
        ModelFile model(path);
        const std::uint8_t image[] = {0, 50, 100, 255};
        const std::uint8_t* const images[] = {image};
        return fmt::format("{} {} {}x{}x{} {} {}", fmt::join(model.classes(), ","),
                           model.threshold(), model.channels(), model.height(), model.width(),
                           model.group_pattern(), fmt::join(model.logits(images), " "));
      });
  EXPECT_EQ(counts.cut_read, 0U);  // every byte of the tensors counts
}

// The texts of a store's records, in a database that is whole.
TEST_F(HostileStudy, StoreRecords) {
  const std::string toml =
      "[study]\nname = \"s\"\n[data]\nsource = \"phantom\"\n[train]\nepochs = 2\n"
      "loss = \"cross_entropy\"\n[[arm]]\nname = \"a\"\n";
  const std::string info =
      R"({"images":2,"channels":1,"height":2,"width":2,"classes":["a","b"],"groups_from":"",)"
      R"("preprocessing":{},"provenance":{},"content_sha256":"0"})";
  Store store = Store::open_to_write(file("").parent_path());
  int tries = 0;
  const auto read = [&](const std::string& study_text, const std::string& info_text) {
    StoredStudy study;
    study.name = fmt::format("try{}", tries++);
    study.file = "try.toml";
    study.toml = study_text;
    study.dataset_info = info_text;
    const std::vector<StoredImage> images = {{"0", "x", "test", "g", 0},
                                             {"1", "y", "test", "h", 1}};
    const auto image = [&](std::size_t row) { return images.at(row); };
    store.save_study(study, images.size(), image, {});
    const StudySummary summary = summarise(store, study.name);
    return fmt::format("{} {} {} {} arms, margin {}", fmt::join(summary.dataset.classes, ","),
                       summary.dataset.width, summary.dataset.content_hash, summary.arms.size(),
                       summary.margin);
  };
  const auto names = [](const std::string& message) {
    return message.find("try") != std::string::npos;
  };
  damage({"store: dataset (JSON)", info, info.size(), 1, false,
          [&](const std::string& changed) { return read(toml, changed); }, names});
  damage({"store: study (TOML)", toml, toml.size(), 1, true,
          [&](const std::string& changed) { return read(changed, info); }, names});
}

// Of a store that was damaged, whose bytes still are a database.
TEST_F(HostileStudy, Store) {
  const auto failure = [](const std::function<void()>& body) {
    try {
      body();
    } catch (const Failure& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  StoredStudy study;
  study.name = "s";
  study.file = "s.toml";
  study.toml = "[data]\nsource = \"phantom\"\n[[arm]]\nname = \"a\"\n";
  study.dataset_info = R"({"images":2,"channels":1,)";
  const fs::path out = file("").parent_path();
  Store store = Store::open_to_write(out);
  store.save_study(study, 0, {}, {});
  EXPECT_NE(failure([&] { summarise(store, "s"); }).find("study 's' is damaged"),
            std::string::npos);

  StudySummary summary;
  summary.name = "s";
  summary.dataset.classes = {"a", "b"};
  EXPECT_EQ(failure([&] { check_stored_study(summary); }), "");
  summary.positive = 2;
  EXPECT_NE(failure([&] { check_stored_study(summary); }).find("number 2 of 2"), std::string::npos);

  TrialResult result;
  result.predictions.push_back({"test", {0, 1}, {0.5F, 0.25F}});
  EXPECT_EQ(failure([&] { check_stored_trial("t", result, 2, 1); }), "");
  EXPECT_NE(failure([&] { check_stored_trial("t", result, 1, 1); }).find("image 1 of 1"),
            std::string::npos);
  EXPECT_NE(failure([&] { check_stored_trial("t", result, 2, 2); }).find("2 logits of 2 images"),
            std::string::npos);
}

}  // namespace
}  // namespace bioptic
