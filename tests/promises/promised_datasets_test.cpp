// A trial's id holds the hash of its images, and its seed draws its splits: the same source, read
// in the same way, gives the same images and the same splits for ever.  datasets.json is added to
// as ids.json is (promised_ids_test.cpp).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bioptic/base/files.h"
#include "bioptic/base/sha256.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/data/png.h"
#include "bioptic/study/prepare_data.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

const std::string kFile = std::string(BIOPTIC_PROMISES_DIR) + "/datasets.json";

// Images of 40 x 24 pixels, whose values only depend on their number and place: no and yes, 14 of
// each, two or three of a patient.
template <typename Pixel>
void write_images(const fs::path& folder, int channels, unsigned largest) {
  constexpr int kWidth = 40, kHeight = 24;
  std::uint32_t state = 1;
  for (int i = 0; i < 28; ++i) {
    std::vector<Pixel> pixels;
    for (int p = 0; p < kWidth * kHeight * channels; ++p) {
      state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
      const auto ramp = static_cast<unsigned>(p % (kWidth * channels)) * largest / 120;
      pixels.push_back(static_cast<Pixel>((state >> 8U) % (largest / 2) + ramp));
    }
    const fs::path file =
        folder / (i % 2 == 0 ? "no" : "yes") / fmt::format("p{}_{:02}.png", i / 5, i);
    fs::create_directories(file.parent_path());
    write_file(file, png_bytes(kWidth, kHeight, channels, std::span<const Pixel>(pixels)));
  }
}

// The hash of the images, and of the splits of every arm with two seeds.
ordered_json prepared(const ordered_json& promise, const fs::path& folder) {
  const auto images = promise.at("images").get<std::string>();
  if (images == "grey8") write_images<std::uint8_t>(folder / "images", 1, 250);
  if (images == "rgb") write_images<std::uint8_t>(folder / "images", 3, 250);
  if (images == "grey16") write_images<std::uint16_t>(folder / "images", 1, 4000);
  const std::string text =
      fmt::format("[study]\nseeds = 2\n[data]\n{}\n{}\n[[arm]]\nname = 'a'\n",
                  promise.at("data").get<std::string>(), promise.at("shift").get<std::string>());
  const StudySpec study = parse_study_text(text, folder / "s.toml");
  PrepareOptions options;
  options.out = folder / "out";
  const PreparedData data = prepare_data(study, options);
  ordered_json splits = ordered_json::array();
  for (const PlannedTrial& trial : expand(study, data.study_data(), "fused", 1)) {
    const SplitPlan& plan = data.plan_of(trial.spec);
    const Splits drawn =
        draw_splits(data.dataset, data.groups, trial.spec.split, plan, trial.spec.seeds.split);
    splits.push_back({drawn.train, drawn.val, drawn.test, plan.holdout});
  }
  return {{"hash", data.study_data().dataset_hash}, {"splits_sha256", sha256_hex(splits.dump())}};
}

ordered_json read_promises() {
  std::ifstream in(kFile);
  return ordered_json::parse(in);
}

TEST(PromisedDatasets, TheSameSourceGivesTheSameImagesAndSplits) {
  ordered_json promises = read_promises();
  const bool add = std::getenv("BIOPTIC_ADD_PROMISES") != nullptr;
  for (ordered_json& promise : promises) {
    const TemporaryFolder folder(fs::temp_directory_path() / "promised-datasets");
    ::setenv("BIOPTIC_CACHE", (folder.path() / "cache").c_str(), 1);
    const ordered_json now = prepared(promise, folder.path());
    ::unsetenv("BIOPTIC_CACHE");
    if (add && !promise.contains("hash")) promise.update(now);
    ASSERT_TRUE(promise.contains("hash"));
    EXPECT_EQ(now.at("hash"), promise.at("hash")) << promise.at("data");
    EXPECT_EQ(now.at("splits_sha256"), promise.at("splits_sha256")) << promise.at("data");
  }
  if (add) std::ofstream(kFile) << promises.dump(1) << "\n";
}

}  // namespace
}  // namespace bioptic
