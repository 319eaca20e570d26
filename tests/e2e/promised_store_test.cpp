// A store is continued by every later version: tests/promises/store was made by commit 793f9b5 and
// is never made again.  expected/ holds what that version gave for it, and for the seed after.
//
// How it was made, by that version: bioptic run promise.toml --out out; expected/ is from the
// tables and the summary of the same with --seeds 4 and another --out (without wall_seconds).
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "workspace.h"

namespace e2e {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kPromise = "tests/promises/store";

class PromisedStore : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    fs::copy(kPromise / "out", at("out"), fs::copy_options::recursive);
    fs::copy(kPromise / "promise.toml", at("promise.toml"));
  }

  json run(const std::string& options = "") const {
    const json outcome = json_of("run @promise.toml --out @out " + options);
    return outcome.at("studies").at(0);
  }

  // A table of the study's report, and the promised one with the first `seeds` seeds.
  Table now(const std::string& table) const { return read_table(at("out/promise/tables") / table); }
  static Table promised(const std::string& table, int seeds) {
    Table rows = read_table(kPromise / "expected" / table);
    std::erase_if(rows, [=](auto& row) { return std::stoi(row.at("seed")) >= seeds; });
    return rows;
  }
};

// Ids, selected epochs, thresholds and hashes of the weights, by arm and seed.
void expect_same_trials(const fs::path& summary, int seeds) {
  std::map<std::string, json> now;
  const json found = json::parse(read(summary));
  for (const json& trial : found.at("trials")) {
    now[trial.at("arm").dump() + trial.at("seed").dump()] = trial;
  }
  std::size_t promised = 0;
  const json expected = json::parse(read(kPromise / "expected/summary.json"));
  for (const json& trial : expected) {
    if (trial.at("seed") >= seeds) continue;
    ++promised;
    const std::string where = trial.at("arm").dump() + trial.at("seed").dump();
    for (const auto& [key, value] : trial.items()) {
      EXPECT_EQ(now[where][key], value) << where << ", " << key;
    }
  }
  EXPECT_EQ(now.size(), promised);
}

// Every promised column of every promised row, text by text; a later version may add columns.
void expect_kept(const Table& now, const Table& promised, const std::string& table) {
  ASSERT_FALSE(promised.empty()) << table;
  ASSERT_EQ(now.size(), promised.size()) << table;
  for (std::size_t i = 0; i < promised.size(); ++i) {
    for (const auto& [column, value] : promised[i]) {
      const auto found = now[i].find(column);
      ASSERT_NE(found, now[i].end()) << table << " has no column '" << column << "'";
      EXPECT_EQ(found->second, value)
          << table << ", row " << i + 1 << " (arm '" << promised[i].at("arm") << "', seed "
          << promised[i].at("seed") << "), " << column;
    }
  }
}

TEST_F(PromisedStore, NothingIsTrainedAgainAndEverythingIsAsItWas) {
  const Tree models = tree(at("out/promise/models"));
  ASSERT_FALSE(models.empty());
  const json outcome = run();
  EXPECT_EQ(outcome.at("trained"), 0);
  EXPECT_EQ(outcome.at("found"), 9);
  EXPECT_EQ(outcome.at("failed"), 0);
  for (const char* table : {"trials.csv", "history.csv", "predictions.csv"}) {
    expect_kept(now(table), promised(table, 3), table);
  }
  expect_same_trials(at("out/promise/summary.json"), 3);
  EXPECT_EQ(difference(tree(at("out/promise/models")), models), "");
}

// Without the study file, and without the dataset, whose path is of another machine.
TEST_F(PromisedStore, IsReportedFromTheStoreAlone) {
  fs::remove(at("promise.toml"));
  const Outcome report = bioptic("report @out");
  ASSERT_EQ(report.code, 0) << report.err;
  expect_same_trials(at("out/promise/summary.json"), 3);
  for (const char* table : {"trials.csv", "history.csv", "predictions.csv"}) {
    expect_kept(now(table), promised(table, 3), table);
  }
}

// The new trainings have the bits that the old version would have given them, too.
TEST_F(PromisedStore, OneMoreSeedTrainsThatSeedAlone) {
  const json outcome = run("--seeds 4");
  EXPECT_EQ(outcome.at("found"), 9);
  EXPECT_EQ(outcome.at("trained"), 3);
  expect_same_trials(at("out/promise/summary.json"), 4);
  for (const char* table : {"trials.csv", "history.csv", "predictions.csv"}) {
    expect_kept(now(table), promised(table, 4), table);
  }
}

TEST_F(PromisedStore, TellsItsStatus) {
  const json status = Workspace::status("out");
  EXPECT_EQ(status.at("study"), "promise");
  EXPECT_EQ(status.at("done").get<int>() + status.at("collapsed").get<int>(), 9);
  EXPECT_EQ(status.at("missing"), 0);
  EXPECT_EQ(status.at("failed"), 0);
  EXPECT_TRUE(read(at("out/bioptic.sqlite")) == read(kPromise / "out/bioptic.sqlite"));
}

}  // namespace
}  // namespace e2e
