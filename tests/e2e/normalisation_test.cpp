// Arms that differ in normalisation: what a trial stored is what its saved model gives again.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "workspace.h"

namespace e2e {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const std::vector<std::string> kKinds = {"pixel", "training", "image", "histogram", "clahe"};

std::string study(const std::string& name, const std::string& data, const std::string& arms) {
  return fmt::format(R"([study]
name = "{}"
seeds = 2
save_models = "all"

[data]
source = "{}"

[train]
model = {{ kind = "mlp", hidden = [8] }}
batch_size = 10
epochs = 2
loss = "bce_with_logits"
optimizer = {{ kind = "adam", lr = 0.003 }}
{})",
                     name, data, arms);
}

std::string five_arms() {
  std::string text;
  for (const std::string& kind : kKinds) {
    text += fmt::format("\n[[arm]]\nname = \"{0}\"\nnormalisation = \"{0}\"\n", kind);
  }
  return text;
}

class Normalisation : public Workspace {
 protected:
  std::string dataset_of(const std::string& out) const {
    return json::parse(read(at(out + "/s/summary.json"))).at("dataset").at("path");
  }
  std::string metadata_of(const std::string& model) const {
    const std::string bytes = read(at(model));
    std::uint64_t length = 0;
    for (std::size_t i = 8; i-- > 0;) {
      length = length << 8U | static_cast<std::uint8_t>(bytes[i]);
    }
    return json::parse(bytes.substr(8, length)).at("__metadata__").dump();
  }
};

TEST_F(Normalisation, SavedModelsGiveWhatTheirTrialsStored) {
  make_images("images");
  write(at("s.toml"), study("s", "images", five_arms()));
  const Outcome ran = bioptic("run @s.toml --out @runs");
  ASSERT_EQ(ran.code, 0) << ran.err;

  std::map<std::string, std::string> losses;  // of the first seed, by arm
  for (const auto& trial : read_table(at("runs/s/tables/trials.csv"))) {
    const std::string name = trial.at("arm") + " " + trial.at("seed");
    const json j = json_of(fmt::format("eval @runs/s/models/{}-seed{}.safetensors --data @images",
                                       trial.at("arm"), trial.at("seed")));
    EXPECT_EQ(j.at("accuracy").get<double>(), std::stod(trial.at("test_accuracy"))) << name;
    EXPECT_EQ(j.at("loss").get<double>(), std::stod(trial.at("test_loss"))) << name;
    if (trial.at("seed") == "0") losses[trial.at("test_loss")] = trial.at("arm");
  }
  EXPECT_EQ(losses.size(), kKinds.size()) << "arms that should differ do not";

  // The exported file of a test image has the score that the trial stored for it.
  ASSERT_EQ(bioptic("data export " + dataset_of("runs") + " @png").code, 0);
  const Table files = read_table(at("png/manifest.csv"));
  std::map<std::string, int> compared;
  for (const auto& row : read_table(at("runs/s/tables/predictions.csv"))) {
    if (row.at("seed") != "1" || row.at("split") != "test" || ++compared[row.at("arm")] > 4) {
      continue;
    }
    const std::string file = "png/" + files.at(std::stoul(row.at("image"))).at("path");
    const json j = json_of(
        fmt::format("predict @runs/s/models/{}-seed1.safetensors @{}", row.at("arm"), file));
    EXPECT_EQ(j.at("predictions").at(0).at("scores").at("sick").get<float>(),
              std::stof(row.at("score")))
        << row.at("arm") << " " << file;
  }
  EXPECT_EQ(compared.size(), kKinds.size());

  // The same settings under another name are the same trials; their models are copied whole.
  write(at("again.toml"), study("again", "images", five_arms()));
  ASSERT_EQ(bioptic("run @again.toml --out @runs").code, 0);
  for (const std::string& kind : kKinds) {
    const std::string file = "/models/" + kind + "-seed1.safetensors";
    const json a = json::parse(metadata_of("runs/s" + file)),
               b = json::parse(metadata_of("runs/again" + file));
    EXPECT_EQ(a.at("trial"), b.at("trial"));
    EXPECT_EQ(a.value("normalisation", ""), b.value("normalisation", "")) << kind;
    EXPECT_EQ(a.at("bioptic_model"), kind == "pixel" ? "1" : "2");
  }
}

// Threads, jobs and instruction sets leave no trace in what is stored.
TEST_F(Normalisation, TheSameBitsOnAnyMachine) {
  make_images("images");
  write(at("s.toml"), study("s", "images", five_arms()));
  ASSERT_EQ(bioptic("run @s.toml --out @one --jobs 1 --threads 1").code, 0);
  ASSERT_EQ(bioptic("run @s.toml --out @two --jobs 2 --threads 2 --isa portable").code, 0);
  EXPECT_EQ(read(at("one/s/tables/predictions.csv")), read(at("two/s/tables/predictions.csv")));
  for (const std::string& kind : kKinds) {
    const std::string file = "/s/models/" + kind + "-seed1.safetensors";
    EXPECT_EQ(read(at("one" + file)), read(at("two" + file))) << kind;
  }
}

// Other test images, and other images of a validation split that the source names, change nothing
// that was fitted; another training image does.
TEST_F(Normalisation, IsFittedOnTrainingImagesOnly) {
  make_images("plain");
  for (const std::string name : {"plain", "others", "leaked"}) {
    if (name != "plain") fs::copy(at("plain"), at(name), fs::copy_options::recursive);
  }
  for (const std::string name : {"plain", "others", "leaked"}) {
    for (const std::string kind : {"healthy", "sick"}) {
      fs::create_directories(at(name) / "val" / kind);
      for (int i = 20; i < 30; ++i) {
        const std::string file = fmt::format("person{}_{}.tiff", i / 2, i);
        fs::rename(at(name) / "train" / kind / file, at(name) / "val" / kind / file);
      }
      const std::vector<std::string> changed =
          name == "others"   ? std::vector<std::string>{"val", "test"}
          : name == "leaked" ? std::vector<std::string>{"train"}
                             : std::vector<std::string>{};
      for (const std::string& split : changed) {
        write_tiff(at(name) / split / kind / "person0_0.tiff", 24, 24, 8,
                   std::vector<unsigned>(24 * 24, 250));
        write_tiff(at(name) / split / kind / "person12_25.tiff", 24, 24, 8,
                   std::vector<unsigned>(24 * 24, 5));
      }
    }
    write(at(name + ".toml"), study("s", name + "\"\nval = \"source", five_arms()));
    const Outcome ran = bioptic("run @" + name + ".toml --out @runs-" + name);
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  for (const std::string kind : {"training", "histogram"}) {
    const auto fitted = [&](const std::string& name) {
      return json::parse(metadata_of("runs-" + name + "/s/models/" + kind + "-seed0.safetensors"))
          .at("normalisation")
          .get<std::string>();
    };
    EXPECT_EQ(fitted("others"), fitted("plain")) << kind;
    EXPECT_NE(fitted("leaked"), fitted("plain")) << kind;
  }
}

// The last: a format that this program does not know, as this one is to an older program.
TEST_F(Normalisation, DamagedNormalisationIsRefused) {
  make_images("images");
  write(at("s.toml"),
        study("s", "images", "\n[[arm]]\nname = \"a\"\nnormalisation = \"training\"\n"));
  ASSERT_EQ(bioptic("run @s.toml --out @runs").code, 0);
  const std::string good = read(at("runs/s/models/a-seed0.safetensors"));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    bytes.replace(bytes.find(from), from.size(), to);
    write(at("bad.safetensors"), bytes);
    return bioptic("eval @bad.safetensors --data @images");
  };
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"(\"mean\")", R"(\"maen\")"},
           {R"(:[)", R"(:{)"},
           {R"("bioptic_model":"2")", R"("bioptic_model":"3")"}}) {
    const Outcome outcome = with(from, to);
    EXPECT_EQ(outcome.code, 2) << to << outcome.err;
    EXPECT_NE(outcome.err.find("bad.safetensors"), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace e2e
