// Unequal classes and weighted images, from the manifest to the report and the saved model.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Weighted : public Workspace {
 protected:
  // Images of 30 healthy and 10 sick to train on, each with a weight where `weights`.
  void make_manifest(const std::string& name, bool weights) const {
    make_images("images");
    std::string text = std::string("path,label,split") + (weights ? ",weight" : "") + "\n";
    for (const auto& entry : fs::recursive_directory_iterator(at("images"))) {
      if (!entry.is_regular_file()) continue;
      const fs::path path = fs::relative(entry.path(), folder_);
      const std::string file = path.filename().string();
      const int number = std::stoi(file.substr(file.find('_') + 1));
      const std::string kind = path.parent_path().filename().string();
      const std::string split = path.parent_path().parent_path().filename().string();
      if (kind == "sick" && split == "train" && number >= 10) continue;
      text += fmt::format("{},{},{}", path.string(), kind, split);
      if (weights) text += fmt::format(",{}", number % 2 == 0 ? 0.5 : 2);
      text += "\n";
    }
    write(at(name), text);
  }
  fs::path study_of(const std::string& name, const std::string& source,
                    const std::string& arms) const {
    write(at(name + ".toml"), fmt::format(R"([study]
name = "{}"
seeds = 2
save_models = "all"

[data]
source = "{}"

[train]
epochs = 3
model = {{ kind = "mlp", hidden = [8] }}
optimizer = {{ kind = "adam", lr = 0.003 }}
batch_size = 10

{})",
                                          name, source, arms));
    return at(name + ".toml");
  }
};

TEST_F(Weighted, BalancedClassWeightsAreThoseOfEachTrialsTrainingSplit) {
  make_manifest("list.csv", false);
  study_of("s", "list.csv", R"([[arm]]
name = "plain"
loss = "cross_entropy"
[[arm]]
name = "weighted"
loss = { kind = "cross_entropy", class_weight = "balanced" }
[[arm]]
name = "numbers"
loss = { kind = "cross_entropy", class_weight = [0.6666666666666666, 2.0] }
)");
  const Outcome outcome = bioptic("run @s.toml --out @runs");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  // 30 and 10 images less a fifth of each for validation: 24 and 8, 32 / (2 * 24), 32 / (2 * 8)
  EXPECT_NE(outcome.out.find("weighted: healthy: 0.6667, sick: 2 (balanced"), std::string::npos)
      << outcome.out;
  const json summary = json::parse(read(at("runs/s/summary.json")));
  std::map<std::string, json> first;  // trials of seed 0
  for (const json& trial : summary.at("trials")) {
    if (trial.at("seed") == 0) first[trial.at("arm")] = trial;
  }
  EXPECT_FALSE(first["plain"].contains("class_weight"));
  EXPECT_DOUBLE_EQ(first["weighted"].at("class_weight").at(0).get<double>(), 32.0 / 48);
  EXPECT_DOUBLE_EQ(first["weighted"].at("class_weight").at(1).get<double>(), 2);
  // Another trial, the same training; and not that of the arm without weights.
  EXPECT_NE(first["weighted"].at("id"), first["numbers"].at("id"));
  EXPECT_EQ(first["weighted"].at("weights_sha256"), first["numbers"].at("weights_sha256"));
  EXPECT_NE(first["weighted"].at("weights_sha256"), first["plain"].at("weights_sha256"));
  EXPECT_NE(read(at("runs/s/report.html")).find("healthy: 0.6667, sick: 2"), std::string::npos);

  // The model carries its numbers: its loss on the test images is the study's.
  ASSERT_EQ(bioptic("data import @list.csv @dataset").code, 0);
  const json eval = json_of("eval @runs/s/models/weighted-seed0.safetensors --data @dataset");
  EXPECT_EQ(eval.at("loss"), first["weighted"].at("metrics").at("test_loss"));
}

TEST_F(Weighted, ABalancedSamplerTrainsOtherwiseAndTheSameOnAnyNumberOfThreads) {
  make_manifest("list.csv", false);
  study_of("s", "list.csv",
           "[[arm]]\nname = \"plain\"\n[[arm]]\nname = \"drawn\"\nsampler = "
           "\"balanced\"\n");
  ASSERT_EQ(bioptic("run @s.toml --out @one --threads 1 --trace").code, 0);
  ASSERT_EQ(bioptic("run @s.toml --out @two --threads 2 --jobs 1").code, 0);
  std::map<std::string, std::string> hash;
  for (const char* out : {"one", "two"}) {
    const json summary = json::parse(read(at(out) / "s/summary.json"));
    for (const json& trial : summary.at("trials")) {
      if (trial.at("seed") != 0) continue;
      hash[trial.at("arm").get<std::string>() + " " + out] = trial.at("weights_sha256");
    }
  }
  EXPECT_NE(hash["plain one"], hash["drawn one"]);
  EXPECT_EQ(hash["drawn one"], hash["drawn two"]);
  // 32 draws in an epoch; half of the drawn images are sick, give or take.
  const Table index = read_table(at("one/s/trace/drawn/seed0/order.csv"));
  ASSERT_EQ(index.size(), 3U * 4);
  std::size_t drawn = 0;
  for (const auto& row : index) {
    const std::string rows = row.at("rows");
    drawn += 1 + static_cast<std::size_t>(std::count(rows.begin(), rows.end(), ' '));
  }
  EXPECT_EQ(drawn, 3U * 32);
}

TEST_F(Weighted, ImagesCountByTheirWeightWhereTheStudyAsksForIt) {
  make_manifest("list.csv", true);
  const std::string arms = "[[arm]]\nname = \"plain\"\n[[arm]]\nname = \"weighted\"\n";
  study_of("without", "list.csv", arms);
  const Outcome without = bioptic("run @without.toml --out @runs");
  ASSERT_EQ(without.code, 0) << without.err;
  const std::string note = "which training does not use; sample_weight = true";
  EXPECT_NE(without.out.find(note), std::string::npos) << without.out;
  EXPECT_NE(read(at("runs/without/report.html")).find(note), std::string::npos);

  study_of("with", "list.csv", arms + "sample_weight = true\n");
  const Outcome with = bioptic("run @with.toml --out @runs");
  ASSERT_EQ(with.code, 0) << with.err;
  EXPECT_NE(with.out.find("in 'weighted' and not in 'plain'"), std::string::npos) << with.out;
  const json summary = json::parse(read(at("runs/with/summary.json")));
  std::map<std::string, std::string> hash, loss;
  for (const json& trial : summary.at("trials")) {
    if (trial.at("seed") != 0) continue;
    hash[trial.at("arm")] = trial.at("weights_sha256");
    loss[trial.at("arm")] = trial.at("metrics").at("train_loss").dump();
  }
  EXPECT_NE(hash["plain"], hash["weighted"]);
  EXPECT_NE(loss["plain"], loss["weighted"]);
  // The arm that does not use them is the trial of the study before.
  const json before = json::parse(read(at("runs/without/summary.json")));
  EXPECT_EQ(before.at("trials").at(0).at("id"), summary.at("trials").at(0).at("id"));

  make_manifest("plain.csv", false);
  study_of("none", "plain.csv", "[[arm]]\nname = \"a\"\nsample_weight = true\n");
  const Outcome none = bioptic("run @none.toml --out @runs");
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.err.find("the dataset has no weights"), std::string::npos) << none.err;
}

TEST_F(Weighted, InfoTellsTheWeightsAndAnExportThatHasNoPlaceForThemSaysSo) {
  make_manifest("list.csv", true);
  const Outcome imported = bioptic("data import @list.csv @dataset");
  EXPECT_NE(imported.out.find("weights        0.5 to 2\n"), std::string::npos) << imported.out;
  EXPECT_EQ(json_of("data info @dataset").at("weights"), json::array({0.5, 2.0}));
  const Outcome exported = bioptic("data export @dataset @exported.npz");
  EXPECT_NE(exported.err.find("no place for weights"), std::string::npos) << exported.err;

  make_manifest("plain.csv", false);
  const Outcome plain = bioptic("data import @plain.csv @plain");
  EXPECT_EQ(plain.out.find("weights"), std::string::npos) << plain.out;
  EXPECT_EQ(json_of("data info @plain").at("weights"), json());
  EXPECT_EQ(bioptic("data export @plain @plain.npz").err.find("weights"), std::string::npos);
}

}  // namespace
}  // namespace e2e
