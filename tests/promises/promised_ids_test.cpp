// Trials keep their ids for ever: a store finds what an older version trained, and a study goes on
// where it stopped.  ids.json holds, for the studies in studies/, the specification and the id of
// every trial as the version named in "since" made them.
//
// studies/shipped/ has the studies as they were shipped then; they are not to follow later changes.
//
// To promise more (a new kind, a new key): write a study, add its entry to ids.json with an empty
// "trials", and run this test once with BIOPTIC_ADD_PROMISES=1, which fills in what is empty and
// touches nothing that is promised already.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "bioptic/base/sha256.h"
#include "bioptic/study/keys.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

const std::string kFolder = BIOPTIC_PROMISES_DIR;

ordered_json read_promises() {
  std::ifstream in(kFolder + "/ids.json");
  return ordered_json::parse(in);
}

struct Expanded {
  StudySpec study;
  std::vector<PlannedTrial> trials;
};

Expanded expanded(const ordered_json& promise) {
  const ordered_json& data = promise.at("data");
  Expanded e;
  e.study = parse_study(kFolder + "/studies/" + promise.at("study").get<std::string>());
  e.trials = expand(e.study,
                    {data.at("hash"), data.at("classes").get<std::vector<std::string>>(),
                     data.at("val_from_source")},
                    promise.at("engine"), promise.at("numerics_version"));
  return e;
}

// Fills in the promises of studies that have none yet.
void add_promises() {
  ordered_json promises = read_promises();
  for (ordered_json& promise : promises) {
    if (promise.contains("trials") && !promise.at("trials").empty()) continue;
    const Expanded now = expanded(promise);
    promise["of"] = now.trials.size();
    promise["trials"] = ordered_json::array();
    for (const PlannedTrial& trial : now.trials) {
      if (promise.at("trials").size() == promise.value("keep", std::size_t{1000})) break;
      promise["trials"].push_back({{"arm", now.study.arms[trial.arm].name},
                                   {"seed", trial.seed},
                                   {"id", trial.id},
                                   {"spec", canonical_json(trial.spec)}});
    }
    promise.erase("keep");
  }
  std::ofstream(kFolder + "/ids.json") << promises.dump(1) << "\n";
}

TEST(PromisedIds, EveryTrialKeepsItsSpecificationAndItsId) {
  if (std::getenv("BIOPTIC_ADD_PROMISES") != nullptr) add_promises();
  std::size_t pairs = 0;
  for (const ordered_json& promise : read_promises()) {
    const auto name = promise.at("study").get<std::string>();
    const Expanded now = expanded(promise);
    ASSERT_EQ(now.trials.size(), promise.at("of")) << name;
    ASSERT_FALSE(promise.at("trials").empty()) << name;
    for (std::size_t i = 0; i < promise.at("trials").size(); ++i) {
      const ordered_json& promised = promise.at("trials")[i];
      const PlannedTrial& trial = now.trials[i];
      const std::string where =
          fmt::format("{}, arm '{}', seed {}", name, promised.at("arm").get<std::string>(),
                      promised.at("seed").get<int>());
      const auto spec = promised.at("spec").get<std::string>();
      EXPECT_EQ(now.study.arms[trial.arm].name, promised.at("arm")) << where;
      EXPECT_EQ(trial.seed, promised.at("seed")) << where;
      EXPECT_EQ(canonical_json(trial.spec), spec)
          << where << ": "
          << json::diff(json::parse(spec), json::parse(canonical_json(trial.spec)));
      EXPECT_EQ(trial.id, promised.at("id")) << where;
      EXPECT_EQ(sha256_hex(spec), promised.at("id")) << where << ": ids.json was edited";
      ++pairs;
    }
  }
  EXPECT_GE(pairs, 200U);
}

// Stores and models keep specifications as text: what an older version wrote reads back whole.
TEST(PromisedIds, StoredSpecificationsReadBack) {
  for (const ordered_json& promise : read_promises()) {
    for (const ordered_json& promised : promise.at("trials")) {
      const json spec = json::parse(promised.at("spec").get<std::string>());
      const std::string train = spec.at("train").dump(), split = spec.at("split").dump();
      EXPECT_EQ(canonical_json(train_spec_from_json(train)), train);
      EXPECT_EQ(canonical_json(split_spec_from_json(split)), split);
    }
  }
}

// Every value of every leaf of the specifications, by its path: "train.optimizer.kind" -> names.
void collect(const json& node, const std::string& path,
             std::map<std::string, std::set<std::string>>& values) {
  if (!node.is_object()) {
    values[path].insert(node.dump());
    return;
  }
  for (const auto& [key, value] : node.items()) {
    collect(value, path.empty() ? key : path + "." + key, values);
  }
}

// A kind that no promise names could change its id unseen.
TEST(PromisedIds, CoverEveryKindAndTwoValuesOfEveryField) {
  std::map<std::string, std::set<std::string>> values;
  for (const ordered_json& promise : read_promises()) {
    for (const ordered_json& promised : promise.at("trials")) {
      collect(json::parse(promised.at("spec").get<std::string>()), "", values);
    }
  }
  const auto expect_kinds = [&](const std::string& path, const auto& kinds) {
    for (const std::string_view kind : kinds) {
      EXPECT_TRUE(values[path].contains(json(kind).dump())) << path << " '" << kind << "'";
    }
  };
  expect_kinds("train.model.kind", schema::model_table().kinds);
  expect_kinds("train.loss.kind", schema::loss_table().kinds);
  expect_kinds("train.optimizer.kind", schema::optimizer_table().kinds);
  expect_kinds("train.scheduler.kind", schema::scheduler_table().kinds);
  expect_kinds("train.normalisation.kind", [] {
    auto kinds = schema::normalisation_table().kinds;
    std::erase(kinds, "pixel");  // the default, which the specification leaves out
    return kinds;
  }());
  // Written only where they are set, to the one value that they can then have.
  const std::set<std::string> single = {"train.model.kind", "train.augment.version",
                                        "train.sample_weight", "train.sampler", "split.control"};
  for (const auto& [path, found] : values) {
    if (single.contains(path)) continue;
    EXPECT_GE(found.size(), 2U) << path;
  }
}

}  // namespace
}  // namespace bioptic
