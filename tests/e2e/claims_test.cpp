// Claims of a study, from the file to the report.
#include <fmt/format.h>

#include "workspace.h"

namespace e2e {
namespace {

using nlohmann::json;
using Claims = Workspace;

const char* kStudy = R"(
[study]
name = "claims"
seeds = 6
[data]
source = "phantom"
phantom = {{ train = 200, test = 80, shift = "default", seed = 1 }}
size = 32
group = '(person\d+|IM-\d+)'
[train]
model = {{ hidden = [16] }}
epochs = 5
train_eval = true
{}
[[arm]]
name = "small"
batch_size = 10
[[arm]]
name = "large"
batch_size = 80
[[arm]]
name = "large again"
batch_size = 80
)";

const char* kClaims = R"(
[[claim]]
id = "lower"
sentence = "Small batches reach a lower training loss"
kind = "difference"
arms = ["small", "large"]
metric = "loss"
split = "train"
direction = "lower"
[[claim]]
id = "copy"
sentence = "An arm beats its copy"
kind = "difference"
arms = ["large", "large again"]
[[claim]]
id = "trend"
sentence = "Test accuracy falls with the batch size"
kind = "trend"
setting = "batch_size"
direction = "lower"
[[claim]]
id = "steady"
sentence = "Large batches are steadier <on validation>"
kind = "index"
arms = ["large", "small"]
direction = "lower"
margin = 0.01
[[claim]]
id = "shape"
sentence = "Training accuracy rises"
kind = "shape"
arms = ["small"]
split = "train"
shape = "rises"
)";

TEST_F(Claims, AreJudgedAndShownFirst) {
  const std::string study = fmt::format(fmt::runtime(kStudy), "") + kClaims;
  write(at("claims.toml"), study);
  const Outcome outcome = bioptic("run @claims.toml --out @runs");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\nClaims\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("copy  NO EFFECT: An arm beats its copy"), std::string::npos)
      << outcome.out;

  const json summary = json::parse(read(at("runs/claims/summary.json")));
  const json& claims = summary.at("claims");
  ASSERT_EQ(claims.size(), 5U);
  for (const json& claim : claims) {
    for (const char* key : {"id", "kind", "sentence", "effect", "low", "high", "seeds", "E1", "E2",
                            "seeds_needed", "cases_needed", "explanation"}) {
      EXPECT_TRUE(claim.contains(key)) << key;
    }
    for (const char* side : {"E1", "E2"}) {
      for (const char* key : {"verdict", "p", "p_holm", "low", "high", "df", "reason"}) {
        EXPECT_TRUE(claim.at(side).contains(key)) << side << key;
      }
    }
    EXPECT_EQ(claim.at("seeds"), 6);
    const std::string explanation = claim.at("explanation");
    EXPECT_EQ(explanation.find(". "), std::string::npos) << "one sentence: " << explanation;
    EXPECT_EQ(explanation.back(), '.');
  }
  EXPECT_EQ(claims[0].at("E2").at("verdict"), "not_allowed");
  EXPECT_EQ(claims[1].at("E1").at("verdict"), "no_effect");
  EXPECT_EQ(claims[1].at("E2").at("verdict"), "no_effect");
  EXPECT_EQ(claims[1].at("effect"), 0);
  EXPECT_EQ(claims[2].at("headline"), "E2");

  // The effect of the first claim is that of the table of trials.
  double small = 0, large = 0;
  for (const auto& row : read_table(at("runs/claims/tables/history.csv"))) {
    if (row.at("epoch") != "5") continue;
    if (row.at("arm") == "small") small += std::stod(row.at("train_eval_loss")) / 6;
    if (row.at("arm") == "large") large += std::stod(row.at("train_eval_loss")) / 6;
  }
  EXPECT_NEAR(claims[0].at("effect").get<double>(), small - large, 1e-9);

  // Steadiness: every seed in the table, its mean over seeds in the summary.
  double spread = 0;
  for (const auto& row : read_table(at("runs/claims/tables/indices.csv"))) {
    if (row.at("arm") == "small" && row.at("split") == "val" && row.at("metric") == "accuracy" &&
        row.at("index") == "step_spread") {
      spread += std::stod(row.at("value")) / 6;
    }
  }
  bool found = false;
  for (const json& row : summary.at("indices")) {
    if (row.at("arm") != "small" || row.at("split") != "val" || row.at("metric") != "accuracy" ||
        row.at("index") != "step_spread") {
      continue;
    }
    found = true;
    EXPECT_NEAR(row.at("mean").get<double>(), spread, 1e-12);
  }
  EXPECT_TRUE(found);
  EXPECT_TRUE(std::filesystem::exists(at("runs/claims/figures/steadiness.svg")));

  const std::string html = read(at("runs/claims/report.html"));
  const std::size_t verdicts = html.find("<h2>Verdicts</h2>");
  ASSERT_NE(verdicts, std::string::npos);
  EXPECT_EQ(html.find("<h2>"), verdicts) << "verdicts come first";
  EXPECT_NE(html.find("Large batches are steadier &lt;on validation&gt;"), std::string::npos);

  // Other claims are other words about the same trials.
  write(at("claims.toml"),
        fmt::format(fmt::runtime(kStudy), "") +
            "[[claim]]\nid = 'one'\nsentence = 'x'\nkind = 'gap'\narms = ['small']\n");
  const json again = json_of("run @claims.toml --out @runs");
  EXPECT_EQ(again.at("studies").at(0).at("trained"), 0);
  EXPECT_EQ(json::parse(read(at("runs/claims/summary.json"))).at("claims").size(), 1U);
  const Outcome report = bioptic("report @runs/claims");
  EXPECT_NE(report.out.find("one  "), std::string::npos);
}

TEST_F(Claims, OneSeedGetsNoVerdictAndTheReasonWhy) {
  write(at("claims.toml"), fmt::format(fmt::runtime(kStudy), "") + kClaims);
  ASSERT_EQ(bioptic("run @claims.toml --seeds 1 --out @runs").code, 0);
  const json summary = json::parse(read(at("runs/claims/summary.json")));
  for (const json& claim : summary.at("claims")) {
    EXPECT_EQ(claim.at("E1").at("verdict"), "not_allowed");
    EXPECT_EQ(claim.at("E2").at("verdict"), "not_allowed");
    EXPECT_NE(claim.at("explanation").get<std::string>().find("one seed"), std::string::npos)
        << claim.at("explanation");
  }
}

TEST_F(Claims, AMistakeEndsTheRunBeforeAnythingIsTrained) {
  write(at("claims.toml"), fmt::format(fmt::runtime(kStudy), "") +
                               "[[claim]]\nid = 'x'\nsentence = 'y'\nkind = 'difference'\narms = "
                               "['small', 'larg']\n");
  const Outcome outcome = bioptic("run @claims.toml --out @runs");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("there is no arm 'larg'; did you mean 'large'?"), std::string::npos)
      << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(at("runs/bioptic.sqlite")));
}

}  // namespace
}  // namespace e2e
