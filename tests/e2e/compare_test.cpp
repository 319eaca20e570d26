// `compare` on files that other programs made and on a study's own, and `plan`.
#include <fmt/format.h>

#include <cmath>

#include "workspace.h"

namespace e2e {
namespace {

using nlohmann::json;
using Comparing = Workspace;

// The first comparison of a split and metric.
json first_of(const json& all, const std::string& split, const std::string& metric) {
  for (const json& c : all) {
    if (c.at("split") == split && c.at("metric") == metric) return c;
  }
  return {};
}

TEST_F(Comparing, AStudysOwnPredictionsGiveTheReportsComparisons) {
  make_images("images");
  // positive = "healthy" is label 0, and the thresholds are not 0.5: the file must say both.
  const auto study = make_study("first", "", "epochs = 2\nthreshold = 'youden'");
  std::string text = read(study);
  text.replace(text.find("seeds = 2"), 9, "seeds = 5");
  text.replace(text.find("[data]"), 6, "[data]\npositive = 'healthy'");
  write(study, text);
  const Outcome outcome = bioptic("run @first.toml --out @runs");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("a verdict for other seeds and other cases"), std::string::npos)
      << outcome.out;
  const json report = json::parse(read(at("runs/first/summary.json"))).at("comparisons");
  const json own = json_of("compare @runs/first/tables/predictions.csv --json").at("comparisons");
  EXPECT_EQ(report.at(0).at("metric"), "accuracy");
  EXPECT_EQ(report.at(0).at("split"), "test");
  for (const char* metric : {"accuracy", "auroc", "balanced_accuracy", "sensitivity", "brier"}) {
    const json a = first_of(report, "test", metric), b = first_of(own, "test", metric);
    ASSERT_FALSE(a.empty() || b.empty()) << metric;
    // Scores are float32 in the study and their shortest decimals in the file: 6e-8 apart.
    const double tolerance = std::string(metric) == "brier" ? 1e-6 : 1e-12;
    EXPECT_NEAR(a.at("difference").get<double>(), b.at("difference").get<double>(), tolerance);
    for (const char* e : {"E1", "E2"}) {
      EXPECT_EQ(a.at(e).at("verdict"), b.at(e).at("verdict")) << metric;
      if (a.at(e).at("p").is_null() || tolerance > 1e-9) continue;
      EXPECT_NEAR(a.at(e).at("p").get<double>(), b.at(e).at("p").get<double>(), 1e-9) << metric;
    }
  }
  // The levels of the arms are the report's, too.
  const json summary = json::parse(read(at("runs/first/summary.json")));
  const json arms = json_of("compare @runs/first/tables/predictions.csv --json").at("arms");
  ASSERT_EQ(arms.size(), summary.at("arms").size());
  std::size_t numbers = 0;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (const auto& [name, level] : arms[a].at("levels").items()) {
      const json& want = summary.at("arms")[a].at("metrics").at("test_" + name);
      for (const char* key :
           {"mean", "sd", "low", "high", "seeds", "patients_low", "patients_high"}) {
        ASSERT_EQ(level.at(key).is_null(), want.at(key).is_null()) << name << " " << key;
        if (want.at(key).is_null()) continue;
        EXPECT_NEAR(level.at(key).get<double>(), want.at(key).get<double>(), 1e-5)
            << name << " " << key;
        ++numbers;
      }
      EXPECT_EQ(level.at("values").size(), 5U) << name;
    }
  }
  EXPECT_GE(numbers, arms.size() * 7 * 5);
  // Validation is drawn anew by each seed.
  const json val = first_of(report, "val", "accuracy");
  EXPECT_EQ(val.at("E2").at("verdict"), "not_allowed");
  EXPECT_NE(val.at("E2").at("reason"), json());
  EXPECT_NE(read(at("runs/first/report.html")).find("<h2>Comparisons</h2>"), std::string::npos);

  // Its eight patients are fewer than a verdict takes, so nothing is planned by them.
  const Outcome few = bioptic("plan --detect 0.05 --from @runs/first");
  EXPECT_EQ(few.code, 2);
  EXPECT_NE(few.err.find("takes at least 10"), std::string::npos) << few.err;
}

TEST_F(Comparing, PlanFromAStudy) {
  make_images("images");
  const auto study = make_study("first", "", "epochs = 2");
  std::string text = read(study);
  text.replace(text.find("seeds = 2"), 9, "seeds = 5");
  const std::size_t group = text.find("group = ");
  text.erase(group, text.find('\n', group) - group);  // every image is its own patient
  write(study, text);
  ASSERT_EQ(bioptic("run @first.toml --out @runs").code, 0);
  const json report = json::parse(read(at("runs/first/summary.json"))).at("comparisons");
  const json plan = json_of("plan --detect 0.05 --from @runs/first --json");
  EXPECT_EQ(plan.at("seeds"), 5);
  EXPECT_EQ(plan.at("cases"), report.at(0).at("groups"));
  // One pair of arms, whose range holds the number to plan with at its high end.
  EXPECT_EQ(plan.at("pairs").size(), 1U);
  EXPECT_EQ(plan.at("decides"), plan.at("pairs").at(0));
  for (const char* what : {"seeds_needed", "cases_needed"}) {
    const json range = plan.at(std::string(what) + "_range");
    if (!range.is_null()) {
      EXPECT_EQ(range.at(1), plan.at(what));
    }
  }
  EXPECT_EQ(bioptic("plan --detect 0.05 --from @runs").code, 0) << "one study is meant";
  EXPECT_EQ(bioptic("plan --detect 0.05 --from @runs/second").code, 2);
}

// All pairs of 200 arms are no plan that anybody waits for; and a plan is for what is compared.
TEST_F(Comparing, PlanIsForThePairsThatTheStudyCompares) {
  make_images("images");
  const auto study = make_study("first", "reference = \"cosine\"", "epochs = 2");
  std::string text = read(study);
  text.replace(text.find("seeds = 2"), 9, "seeds = 5");
  const std::size_t group = text.find("group = ");
  text.erase(group, text.find('\n', group) - group);
  text += "\n[[arm]]\nname = \"small\"\nbatch_size = 5\n";
  write(study, text);
  ASSERT_EQ(bioptic("run @first.toml --out @runs").code, 0);
  const json pairs = json_of("plan --detect 0.05 --from @runs --json").at("pairs");
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs.at(0).at("b"), "cosine");
  EXPECT_EQ(pairs.at(1).at("b"), "cosine");
  const json asked =
      json_of("plan --detect 0.05 --from @runs --json --arms small,constant").at("pairs");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked.at(0).at("a"), "constant");
  EXPECT_EQ(asked.at(0).at("b"), "small");
}

TEST_F(Comparing, TheExampleOfTheDocumentation) {
  const std::string file = std::filesystem::absolute("examples/compare/predictions.csv").string();
  const json all = json_of("compare " + file + " --json");
  EXPECT_EQ(all.at("arms").size(), 3U);
  EXPECT_EQ(all.at("comparisons").size(), 21U);
  EXPECT_EQ(first_of(all.at("comparisons"), "test", "accuracy").at("seeds"), 10);
  const Outcome outcome = bioptic("compare " + file + " --figure @plots/forest");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::size_t levels = outcome.out.find("mean ± sd"), pairs = outcome.out.find("a - b");
  ASSERT_NE(levels, std::string::npos) << outcome.out;
  EXPECT_LT(levels, pairs) << "levels first";
  for (const char* kind : {"svg", "png", "pdf"}) {
    EXPECT_TRUE(std::filesystem::exists(at(std::string("plots/forest.") + kind)));
  }
}

TEST_F(Comparing, OneSeedComparesTwoModelsAndSaysSo) {
  write(at("a.csv"), "seed,image,label,score\n0,x,0,0.2\n0,y,1,0.7\n0,z,1,0.6\n0,w,0,0.6\n");
  write(at("b.csv"), "seed,image,label,score\n0,x,0,0.6\n0,y,1,0.4\n0,z,1,0.7\n0,w,0,0.1\n");
  const Outcome outcome = bioptic("compare @a.csv @b.csv");
  EXPECT_EQ(outcome.code, 0);
  for (const char* said :
       {"not allowed", "TRAINED MODELS, never two settings", "McNemar", "DeLong"}) {
    EXPECT_NE(outcome.out.find(said), std::string::npos) << said << "\n" << outcome.out;
  }
  const json all = json_of("compare @a.csv @b.csv --json");
  EXPECT_EQ(all.at("comparisons").at(0).at("E2").at("verdict"), "not_allowed");
  EXPECT_EQ(all.at("models").at(0).at("mcnemar_p"), 1);
}

TEST_F(Comparing, BadInputIsOneLineAndExitCodeTwo) {
  write(at("a.csv"), "arm,seed,image,label,score\na,0,x,0,0.2\nb,1,x,0,0.7\n");
  const Outcome seeds = bioptic("compare @a.csv");
  EXPECT_EQ(seeds.code, 2);
  EXPECT_NE(seeds.err.find("share none"), std::string::npos) << seeds.err;
  write(at("some.csv"), "arm,seed,image,label,score\na,0,x,0,0.2\na,1,x,0,0.3\nb,1,x,0,0.7\n");
  const Outcome some = bioptic("compare @some.csv");
  EXPECT_EQ(some.code, 2);
  EXPECT_NE(some.err.find("--common uses the 1 seed that all arms share"), std::string::npos)
      << some.err;
  EXPECT_EQ(bioptic("compare @missing.csv").code, 2);
  EXPECT_EQ(bioptic("compare").code, 2);
  std::filesystem::create_directories(at("folder/tables"));
  write(at("folder/tables/predictions.csv"), "x\n");
  const Outcome folder = bioptic("compare @folder");
  EXPECT_EQ(folder.code, 2);
  EXPECT_NE(folder.err.find("is a folder"), std::string::npos) << folder.err;
  EXPECT_NE(folder.err.find("folder/tables/predictions.csv"), std::string::npos) << folder.err;
  write(at("three.csv"),
        "arm,seed,image,label,score_p,score_q,score_r\na,0,x,p,1,0,0\na,0,y,q,0,1,0\n"
        "b,0,x,p,1,0,0\nb,0,y,q,0,0,1\n");
  EXPECT_EQ(bioptic("compare @three.csv").code, 0);
  const Outcome three = bioptic("compare @three.csv --threshold 0.3");
  EXPECT_EQ(three.code, 2);
  EXPECT_NE(three.err.find("--threshold is for two classes"), std::string::npos) << three.err;
  const Outcome nowhere = bioptic("plan --detect 0.02 --from nothere");
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_NE(nowhere.err.find("--from nothere: does not exist"), std::string::npos) << nowhere.err;
  EXPECT_EQ(bioptic("compare @a.csv --margin 2").code, 2);
  EXPECT_EQ(bioptic("plan --detect 0.02").code, 2);
  EXPECT_EQ(bioptic("plan --detect 0 --sd-seeds 0.01 --sd-cases 0.3").code, 2);
}

// Ten seeds of two arms whose scores are 0.8 (`ill`) and 0.3 of each class, with some wrong and
// some chance; `good` has fewer wrong.
std::string predictions(const std::string& well, const std::string& ill, bool inverted) {
  std::string text = "arm,seed,image,label,score\n";
  for (const char* arm : {"good", "worse"}) {
    for (int seed = 0; seed < 10; ++seed) {
      for (int image = 0; image < 60; ++image) {
        const bool is_ill = image % 2 == 1;
        const int wrong_of = std::string(arm) == "good" ? 9 : 4;
        const bool wrong = (image * 7 + seed * 3) % wrong_of == 0;
        const double score = (is_ill != wrong ? 0.8 : 0.3) + 0.001 * ((image * 13 + seed * 5) % 17);
        text += fmt::format("{},{},i{},{},{:.3f}\n", arm, seed, image, is_ill ? ill : well,
                            inverted ? 1 - score : score);
      }
    }
  }
  return text;
}

TEST_F(Comparing, TheAlphabetDoesNotDecideWhichClassIsPositive) {
  write(at("p.csv"), predictions("normal", "cancer", false));
  const Outcome asked = bioptic("compare @p.csv");
  EXPECT_EQ(asked.code, 2);
  EXPECT_EQ(asked.out, "");
  for (const char* said : {"'cancer' and 'normal'", "--positive cancer or --positive normal",
                           "with --positive cancer and 0."}) {
    EXPECT_NE(asked.err.find(said), std::string::npos) << said << "\n" << asked.err;
  }
  const json right = json_of("compare @p.csv --positive cancer --json");
  EXPECT_EQ(right.at("positive"), "cancer");
  EXPECT_EQ(first_of(right.at("comparisons"), "test", "auroc").at("verdict"), "a_better");
  // The wrong one gives no verdict, and says why first.
  const json wrong = json_of("compare @p.csv --positive normal --json");
  for (const json& c : wrong.at("comparisons")) {
    EXPECT_EQ(c.at("verdict"), "not_allowed") << c.at("metric");
    EXPECT_NE(c.at("E1").at("reason").get<std::string>().find("look inverted"), std::string::npos);
    EXPECT_NE(c.at("E2").at("reason").get<std::string>().find("--positive cancer"),
              std::string::npos);
  }
  EXPECT_NE(wrong.at("notes").at(0).get<std::string>().find("Scores look inverted"),
            std::string::npos);
  // The same with 0 and 1, where nothing is asked.
  write(at("q.csv"), predictions("0", "1", true));
  EXPECT_EQ(json_of("compare @q.csv --json").at("comparisons").at(0).at("verdict"), "not_allowed");
  EXPECT_EQ(json_of("compare @q.csv --positive 0 --json").at("comparisons").at(0).at("verdict"),
            "a_better");
}

TEST_F(Comparing, LogitsAndLabelsGivenAsScores) {
  write(at("z.csv"),
        "arm,seed,image,label,score\na,0,x,0,-2\na,0,y,1,0.7\nb,0,x,0,-1\nb,0,y,1,3\n");
  const Outcome refused = bioptic("compare @z.csv");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("z.csv:2: score is -2"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("--logits"), std::string::npos) << refused.err;
  const json said = json_of("compare @z.csv --logits --json");
  EXPECT_EQ(said.at("arms").at(0).at("metrics").at("accuracy"), 1);
  EXPECT_FALSE(said.at("arms").at(0).at("metrics").at("brier").is_null());

  write(at("h.csv"), "arm,seed,image,label,score\na,0,x,0,0\na,0,y,1,1\nb,0,x,0,1\nb,0,y,1,0\n");
  const json hard = json_of("compare @h.csv --json");
  EXPECT_EQ(hard.at("comparisons").size(), 4U);
  EXPECT_FALSE(hard.at("arms").at(0).at("metrics").contains("auroc"));
  EXPECT_NE(hard.at("notes").back().get<std::string>().find("accuracy and its kin only"),
            std::string::npos);
  const Outcome area = bioptic("compare @h.csv --metric auroc");
  EXPECT_EQ(area.code, 2);
  EXPECT_NE(area.err.find("needs probabilities"), std::string::npos) << area.err;
}

TEST_F(Comparing, NumbersThatAreNotFiniteAreRefused) {
  write(at("g.csv"), predictions("0", "1", false));
  for (const char* flag : {"--threshold nan", "--threshold inf", "--margin nan", "--detect nan",
                           "--detect inf", "--margin -inf"}) {
    const Outcome outcome = bioptic(std::string("compare @g.csv ") + flag);
    EXPECT_EQ(outcome.code, 2) << flag << outcome.out;
    EXPECT_NE(outcome.err, "") << flag;
  }
  for (const char* flags : {"--detect nan --sd-seeds 0.01 --sd-cases 0.3",
                            "--detect inf --sd-seeds 0.01 --sd-cases 0.3",
                            "--detect 0.02 --sd-seeds nan --sd-cases 0.3",
                            "--detect 0.02 --sd-seeds 0.01 --sd-cases inf",
                            "--detect 0.02 --sd-seeds 0.01 --sd-cases 0.3 --sd-rest nan"}) {
    EXPECT_EQ(bioptic(std::string("plan ") + flags).code, 2) << flags;
  }
}

// V = 0.01^2 / S + 0.3^2 / G: with 400 cases the cases' part alone has a standard error of 0.015.
TEST_F(Comparing, PlanFromDeviations) {
  const json plan = json_of("plan --detect 0.02 --sd-seeds 0.01 --sd-cases 0.3 --cases 400 --json");
  EXPECT_TRUE(plan.at("seeds_needed").is_null());
  const int cases = plan.at("cases_needed").get<int>();
  // By the normal law: (1.96 + 0.84)^2 * 0.09 / (0.02^2 - (2.8 * 0.01)^2 / 10) is 2,200.
  EXPECT_GT(cases, 2100);
  EXPECT_LT(cases, 2400);
  EXPECT_EQ(plan.at("cases_needed_range"), json({cases, cases})) << "as given, not estimated";
  EXPECT_TRUE(plan.at("seeds_needed_range").is_null());
  const Outcome outcome =
      bioptic("plan --detect 0.02 --sd-seeds 0.01 --sd-cases 0.3 --figure @power");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("no number of seeds suffices"), std::string::npos) << outcome.out;
  EXPECT_TRUE(std::filesystem::exists(at("power.png")));
}

}  // namespace
}  // namespace e2e
