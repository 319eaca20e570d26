#include "bioptic/report/overview.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "bioptic/base/files.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/report/overview_page.h"
#include "bioptic/report/overview_text.h"
#include "bioptic/report/overview_words.h"

namespace bioptic {
namespace {

OverviewArm arm(const std::string& name, double accuracy) {
  OverviewArm a;
  a.name = name;
  a.trials = 10;
  a.test_accuracy = accuracy;
  a.test_sd = 0.01;
  a.by_seed = {accuracy - 0.01, accuracy + 0.01};
  a.epochs = {1, 2, 30};
  const OverviewCurve curve{{0.5, 0.6, 0.7}, {0.6, kUndefined, 0.8}, {0.7, 0.8, 0.9}};
  a.training_accuracy = a.validation_accuracy = a.training_loss = a.validation_loss = curve;
  return a;
}

OverviewPair pair(const std::string& a, const std::string& b, Verdict verdict, double difference) {
  return {a, b, verdict, difference, difference - 0.02, difference + 0.02, 0.95, ""};
}

StudyOverview study(std::vector<OverviewPair> pairs) {
  StudyOverview s;
  s.name = "batch_size";
  s.question = "Does it?";
  s.version = "1";
  s.width = s.height = 64;
  s.images = 2400;
  s.train = 1600;
  s.val = s.test = 400;
  s.test_groups = 204;
  s.patients_known = true;
  s.seeds = 10;
  s.margin = 0.03;
  s.arms = {arm("a", 0.7), arm("b", 0.72), arm("c", 0.74)};
  s.pairs = std::move(pairs);
  return s;
}

TEST(OverviewAnswer, OfSettingsThatAreEquivalent) {
  EXPECT_EQ(plain_answer(study({pair("a", "b", Verdict::no_effect, 0.001),
                                pair("a", "c", Verdict::no_effect, 0.002),
                                pair("b", "c", Verdict::no_effect, 0.001)})),
            "No. All three settings are equivalent in test accuracy, within ±3 points, for new "
            "seeds and new patients.");
  EXPECT_EQ(plain_answer(study({pair("a", "b", Verdict::no_effect, 0.001)})),
            "No. a and b are equivalent in test accuracy, within ±3 points, for new seeds and new "
            "patients.");
}

TEST(OverviewAnswer, SaysWhatIsNotDecided) {
  const std::string one = plain_answer(study({pair("a", "b", Verdict::undecided, -0.01)}));
  EXPECT_EQ(one,
            "Not decided. b scored 1.0 points higher than a (95 % CI −1.0 to +3.0), for new seeds "
            "and new patients; that they are equivalent (within ±3 points) is not shown either.");
  const std::string some = plain_answer(
      study({pair("a", "b", Verdict::undecided, -0.01), pair("a", "c", Verdict::no_effect, 0.0)}));
  EXPECT_EQ(
      some,
      "No difference in test accuracy is shown: 1 of 2 pairs is equivalent (within ±3 points) "
      "and 1 is undecided, for new seeds and new patients.");
}

TEST(OverviewAnswer, NamesTheSettingThatAllOthersBeat) {
  StudyOverview s =
      study({pair("a", "b", Verdict::negative, -0.10), pair("a", "c", Verdict::negative, -0.12),
             pair("b", "c", Verdict::undecided, -0.02)});
  s.arms[0].collapsed = 8;
  EXPECT_EQ(plain_answer(s),
            "Yes. a is worse than every other setting in test accuracy, by 10.0 to 12.0 points (8 "
            "of its 10 runs collapsed), for new seeds and new patients; of the other two, the pair "
            "is undecided.");
  // One undecided pair is enough for it not to be.
  s.pairs[0].verdict = Verdict::undecided;
  EXPECT_EQ(plain_answer(s),
            "Yes. Of test accuracy, 1 of 3 pairs is different and 2 are undecided, for new seeds "
            "and new patients; the largest difference: c scored 12.0 points higher than a (95 % CI "
            "+10.0 to +14.0).");
}

TEST(OverviewAnswer, GivesNoneTooEarly) {
  StudyOverview s = study({pair("a", "b", Verdict::not_allowed, 0.1)});
  s.pairs[0].reason = "the seeds are folds";
  EXPECT_EQ(plain_answer(s), "No verdict: the seeds are folds.");
  s.seeds = 2;
  EXPECT_EQ(plain_answer(s), "Not yet: 2 of the 5 seeds that a verdict takes.");
}

TEST(OverviewAnswer, ADecidingLimitDoesNotReadAsZero) {
  StudyOverview s = study({{"a", "b", Verdict::positive, 0.05, 0.00003, 0.1, 0.95, ""}});
  EXPECT_NE(plain_answer(s).find("(95 % CI +0.003 to +10.0)"), std::string::npos)
      << plain_answer(s);
}

TEST(OverviewAnswer, OfTheGap) {
  StudyOverview s = study({});
  OverviewClaim c;
  c.gap = c.shift = c.patients = true;
  c.verdict = Verdict::positive;
  c.effect = 0.19;
  c.low = 0.126;
  c.high = 0.254;
  c.confidence = 0.95;
  s.claims = {c};
  EXPECT_EQ(
      plain_answer(s),
      "Yes. Test accuracy is 19.0 points lower than on held-out images of the training source "
      "(95 % CI +12.6 to +25.4), and three kinds of evidence name a shift of the images as "
      "the cause.");
  s.claims[0].verdict = Verdict::undecided;
  EXPECT_NE(plain_answer(s).find("the cause stays open"), std::string::npos);
}

TEST(Overview, IsReadBackAsItWasWritten) {
  StudyOverview s = study({pair("a", "b", Verdict::undecided, -0.01)});
  s.pairs[0].low = kUndefined;
  s.arms[1].reported = 0.785;
  s.arms[1].figure = 5;
  OverviewClaim c;
  c.id = "B1";
  c.sentence = "It is <so> & \"so\"";
  c.verdict = Verdict::no_effect;
  s.claims = {c};
  const std::string text = overview_json(s);
  const StudyOverview back = overview_from_json(text);
  EXPECT_EQ(overview_json(back), text);
  EXPECT_TRUE(std::isnan(back.pairs[0].low));
  EXPECT_TRUE(std::isnan(back.arms[0].training_loss.median[1]));
  EXPECT_EQ(back.claims[0].verdict, Verdict::no_effect);
  EXPECT_ANY_THROW(overview_from_json("{}"));
  EXPECT_ANY_THROW(overview_from_json(R"({"format": 2})"));
}

TEST(OverviewPage, HasNothingFromOutsideAndEscapesNames) {
  StudyOverview s = study({pair("a", "b", Verdict::undecided, -0.01)});
  s.question = "<script>alert(1)</script>";
  s.arms[0].name = "<img src=x onerror=alert(1)>";
  OverviewClaim c;
  c.id = "\"><b>";
  c.sentence = "</td><script>";
  s.claims = {c};
  const std::string html = overview_html(std::vector<StudyOverview>{s, s});
  EXPECT_EQ(html.find("http"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_EQ(html.find("</td><script>"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
}

TEST(OverviewPage, SaysThatTestPatientsAreInTraining) {
  StudyOverview s = study({pair("a", "b", Verdict::undecided, -0.01)});
  EXPECT_EQ(overview_html(std::vector<StudyOverview>{s, s}).find("also appear"), std::string::npos);
  s.shared_groups = 101;
  const std::string html =
      overview_html(std::vector<StudyOverview>{s, overview_from_json(overview_json(s))});
  EXPECT_NE(html.find("101 of the 204 test patients also appear in the training images"),
            std::string::npos);
  EXPECT_NE(html.find("204 patients (101 of them also in training)"), std::string::npos);
}

TEST(OverviewPage, TheParagraphIsShort) {
  StudyOverview s =
      study({pair("a", "b", Verdict::negative, -0.10), pair("a", "c", Verdict::undecided, -0.12),
             pair("b", "c", Verdict::undecided, -0.02)});
  std::istringstream words(paragraph(std::vector<StudyOverview>{s, s, s, s}));
  std::size_t count = 0;
  for (std::string word; words >> word;) ++count;
  EXPECT_LE(count, 150U);
  EXPECT_GE(count, 60U);
}

TEST(OverviewPage, IsWrittenForSeveralStudiesAndOverNothingElse) {
  const TemporaryFolder folder(std::filesystem::temp_directory_path() / "overview");
  const std::filesystem::path& out = folder.path();
  const std::vector<std::string> names{"one", "two", "three"};
  const std::string text = overview_json(study({}));
  write_file(out / "one" / "overview.json", text);
  EXPECT_FALSE(write_overview(out, names)) << "one study has its report";
  write_file(out / "three" / "overview.json", text);
  EXPECT_EQ(write_overview(out, names), out / "index.html");
  EXPECT_EQ(write_overview(out, names), out / "index.html") << "its own page is made again";
  write_file(out / "index.html", "my page");
  EXPECT_FALSE(write_overview(out, names));
  EXPECT_EQ(read_file(out / "index.html"), "my page");
}

TEST(OverviewText, FitsATerminal) {
  StudyOverview s = study({pair("a", "b", Verdict::undecided, -0.01)});
  OverviewClaim c;
  c.id = "B1";
  c.sentence = "The larger the batch, the smoother the training accuracy, which is a long sentence";
  c.verdict = Verdict::positive;
  c.effect = 0.01;
  s.claims = {c};
  std::istringstream lines(overview_text(s));
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 90U) << line;  // bytes: signs of two or three are among them
  }
}

}  // namespace
}  // namespace bioptic
