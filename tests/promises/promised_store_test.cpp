// What the store in store/out holds, to the last bit: expected/results.json was written by the
// version that made the store.  (tests/e2e/promised_store_test.cpp continues it with the program.)
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "bioptic/base/sha256.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/store/store.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

const fs::path kStore = fs::path(BIOPTIC_PROMISES_DIR) / "store";

template <typename T>
std::string hash_of(const std::vector<T>& values) {
  return sha256_hex(std::string(reinterpret_cast<const char*>(values.data()),  // NOLINT
                                values.size() * sizeof(T)));
}

// JSON prints doubles in shortest digits that read back; NaN, which it cannot print, is null.
ordered_json json_of(const TrialResult& r) {
  ordered_json history = ordered_json::array();
  for (const EpochRecord& e : r.history) {
    history.push_back({e.epoch, e.step, e.lr, e.train_loss, e.train_accuracy, e.val_loss,
                       e.val_accuracy, e.val_auroc});
    if (e.train_eval_loss) history.back().push_back(*e.train_eval_loss);
    if (e.train_eval_accuracy) history.back().push_back(*e.train_eval_accuracy);
  }
  ordered_json predictions = ordered_json::array();
  for (const SplitPredictions& p : r.predictions) {
    predictions.push_back({{"split", p.split},
                           {"images", p.rows.size()},
                           {"rows_sha256", hash_of(p.rows)},
                           {"logits_sha256", hash_of(p.logits)}});
  }
  return {
      {"status", name_of(r.status)},
      {"selected_epoch", r.selected_epoch},
      {"steps", r.steps},
      {"threshold", r.threshold},
      {"weights_sha256", r.weights_sha256},
      {"losses_and_accuracies",
       {r.train_loss, r.train_accuracy, r.val_loss, r.val_accuracy, r.test_loss, r.test_accuracy}},
      {"history", history},
      {"predictions", predictions}};
}

ordered_json contents(const Store& store) {
  ordered_json studies = ordered_json::array();
  for (const StoredStudy& study : store.studies()) {
    ordered_json trials = ordered_json::array();
    for (const StoredPlace& place : store.places(study.name)) {
      const auto result = store.trial(place.trial_id);
      const auto origin = store.origin(place.trial_id);
      ordered_json trial = {{"arm", place.arm},
                            {"seed", place.seed},
                            {"seeds", {place.seeds.split, place.seeds.init, place.seeds.order}},
                            {"id", place.trial_id},
                            {"spec", origin ? origin->spec_json : ""}};
      if (result) trial.update(json_of(*result));
      trials.push_back(trial);
    }
    ordered_json images = ordered_json::array();
    store.each_image(study.name, [&](const StoredImage& image) {
      images.push_back({image.id, image.source, image.split, image.group, image.label});
    });
    studies.push_back({{"name", study.name},
                       {"toml_sha256", sha256_hex(study.toml)},
                       {"dataset_hash", study.dataset_hash},
                       {"images_sha256", sha256_hex(images.dump())},
                       {"trials", trials}});
  }
  return studies;
}

TEST(PromisedStore, GivesBackWhatItHolds) {
  const TemporaryFolder folder(fs::temp_directory_path() /
                               "promised-store");  // a reader may bring the schema up to date
  fs::copy(kStore / "out/bioptic.sqlite", folder.path() / "bioptic.sqlite");
  const ordered_json now = contents(Store::open_to_read(folder.path()));
  const fs::path file = kStore / "expected/results.json";
  if (std::getenv("BIOPTIC_ADD_PROMISES") != nullptr && !fs::exists(file)) {
    std::ofstream(file) << now.dump(1) << "\n";
  }
  std::ifstream in(file);
  const ordered_json expected = ordered_json::parse(in);
  ASSERT_EQ(now.size(), expected.size());
  for (std::size_t s = 0; s < expected.size(); ++s) {
    for (const auto& [key, value] : expected[s].items()) {
      if (key == "trials") continue;
      EXPECT_EQ(now[s].at(key), value) << key;
    }
    const ordered_json &trials = now[s].at("trials"), &promised = expected[s].at("trials");
    ASSERT_EQ(trials.size(), promised.size());
    for (std::size_t t = 0; t < promised.size(); ++t) {
      for (const auto& [key, value] : promised[t].items()) {
        EXPECT_EQ(trials[t].value(key, ordered_json()), value)
            << "arm " << promised[t].at("arm") << ", seed " << promised[t].at("seed") << ", "
            << key;
      }
    }
  }
}

}  // namespace
}  // namespace bioptic
