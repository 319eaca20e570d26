// Reading predictions of other programs: what is understood, and what the errors name.
#include "bioptic/study/read_predictions.h"

#include <gtest/gtest.h>

#include <fstream>

#include "bioptic/base/error.h"
#include "bioptic/study/compare_arms.h"
#include "bioptic/study/compare_models.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class ReadPredictionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("predictions-" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  PredictionTable read(const std::string& text, const ReadPredictions& options = {}) const {
    return read_predictions(std::vector{file("p.csv", text)}, options);
  }
  // The message, or "" when nothing was thrown; the folder is cut from it.
  std::string error(const std::string& text, const ReadPredictions& options = {}) const {
    try {
      read(text, options);
    } catch (const InputError& e) {
      std::string message = e.what();
      for (std::size_t at; (at = message.find(folder_.string() + "/")) != std::string::npos;) {
        message.erase(at, folder_.string().size() + 1);
      }
      return message;
    }
    return "";
  }
  fs::path folder_;
};

const std::string kHead = "arm,seed,image,label,score\n";
const std::string kGood = kHead + "a,0,x,0,0.2\na,0,y,1,0.9\nb,0,x,0,0.7\nb,0,y,1,0.6\n";

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(ReadPredictionsTest, ArmsSeedsImagesAndScores) {
  const PredictionTable t = read(kGood);
  ASSERT_EQ(t.arms.size(), 2U);
  EXPECT_EQ(t.arms[1].name, "b");
  EXPECT_EQ(t.images.size(), 2U);
  EXPECT_EQ(t.groups, 2U);
  EXPECT_FALSE(t.grouped);
  EXPECT_EQ(t.arms[1].trials[0].scores, (std::vector<double>{0.7, 0.6}));
  EXPECT_EQ(t.arms[1].trials[0].predicted, (std::vector<std::size_t>{1, 1}));
  EXPECT_TRUE(t.arms[1].trials[0].collapsed) << "one class for all images";
  EXPECT_FALSE(t.arms[0].trials[0].collapsed);
}

TEST_F(ReadPredictionsTest, WhatEditorsAndSpreadsheetsDoToAFile) {
  // A byte order mark, CRLF, quotes with a comma and a quote in them, blank lines, spaces, pandas'
  // 1.0, no line end at the end.
  const PredictionTable t = read(
      "\xEF\xBB\xBFscore,\"label\", image ,seed,arm,note\r\n\r\n"
      "0.2,0.0,\"x, \"\"left\"\"\",0.0,a,\"two\nlines\"\r\n"
      " 0.9, 1.0, y, 0.0, a,\r\n"
      "7e-1,0,\"x, \"\"left\"\"\",0,b,\r\n"
      "+0.6,1,y,0,b,z\r\n\r\n");
  EXPECT_EQ(t.images[0].id, "x, \"left\"");
  EXPECT_EQ(t.classes, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(t.arms[1].trials[0].scores, (std::vector<double>{0.7, 0.6}));
  expect_has(error("arm,seed,image,label,score\na,0,\"x\ny\",0,0.5\na,0,z,1,wrong\n"), "p.csv:4:");
}

TEST_F(ReadPredictionsTest, ArmsFromFileNamesAndSeveralFilesJoined) {
  const fs::path one = file("adam.csv", "seed,image,label,score\n0,x,0,0.1\n0,y,1,0.8\n");
  const fs::path two = file("sgd.v2.csv", "seed,image,label,score\n0,x,0,0.3\n0,y,1,0.4\n");
  const PredictionTable t = read_predictions(std::vector{one, two}, {});
  EXPECT_EQ(t.arms[0].name, "adam");
  EXPECT_EQ(t.arms[1].name, "sgd.v2");
  // One file a seed.
  const fs::path s0 = file("s0.csv", kGood);
  const fs::path s1 = file("s1.csv", kHead + "a,1,x,0,0\na,1,y,1,1\nb,1,x,0,0\nb,1,y,1,0\n");
  EXPECT_EQ(read_predictions(std::vector{s0, s1}, {}).arms[0].trials.size(), 2U);
  // The same file twice is every row twice.
  EXPECT_THROW(read_predictions(std::vector{s0, s0}, {}), InputError);
}

TEST_F(ReadPredictionsTest, ScoresThatAreNotFiniteCountAsWrongAndAreNoted) {
  const PredictionTable t = read(kHead + "a,0,x,0,nan\na,0,y,1,\nb,0,x,0,inf\nb,0,y,1,NaN\n");
  EXPECT_EQ(t.arms[0].trials[0].predicted, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(t.arms[1].trials[0].predicted, (std::vector<std::size_t>{1, 0}));
  EXPECT_TRUE(t.arms[0].trials[0].collapsed) << "no class at all";
  ASSERT_EQ(t.notes.size(), 2U);
  expect_has(t.notes[1], "4 rows have no finite score");
  expect_has(t.notes[1], "p.csv:2; a seed 0: 2, b seed 0: 2.");
}

TEST_F(ReadPredictionsTest, NamesOfClassesAndWhichOneTheScoreSpeaksFor) {
  const std::string text = kHead + "a,0,x,ill,0.9\na,0,y,well,0.1\nb,0,x,ill,0.8\nb,0,y,well,0.9\n";
  const PredictionTable second = read(text);  // "well" by letter
  EXPECT_EQ(second.positive, 1U);
  EXPECT_EQ(second.arms[0].trials[0].predicted, (std::vector<std::size_t>{1, 0}));
  ReadPredictions options;
  options.positive = "ill";
  const PredictionTable first = read(text, options);
  EXPECT_EQ(first.positive, 0U);
  EXPECT_EQ(first.arms[0].trials[0].predicted, (std::vector<std::size_t>{0, 1}));
  expect_has(first.notes[0], "speaks for label ill");
  options.positive = "il";
  expect_has(error(text, options), "did you mean 'ill'");
  // In the file.
  const PredictionTable column = read(
      "arm,seed,image,label,score,positive\na,0,x,0,0.9,0\na,0,y,1,0.1,0\nb,0,x,0,0.8,0\n"
      "b,0,y,1,0.9,0\n");
  EXPECT_EQ(column.positive, 0U);
  // By value, not by letter.
  EXPECT_EQ(read(kHead + "a,0,x,9,0.9\na,0,y,10,0.1\nb,0,x,9,0.8\nb,0,y,10,0.9\n").classes,
            (std::vector<std::string>{"9", "10"}));
}

TEST_F(ReadPredictionsTest, OneClassAlone) {
  EXPECT_EQ(read(kHead + "a,0,x,1,0.9\nb,0,x,1,0.1\n").classes.size(), 2U);
  expect_has(error(kHead + "a,0,x,ill,0.9\nb,0,x,ill,0.1\n"), "--positive ill");
}

TEST_F(ReadPredictionsTest, SplitsGroupsThresholdsAndLogits) {
  const std::string head = "arm,seed,split,image,group,label,score,logit,threshold\n";
  const std::string rows =
      "a,0,val,v,q,0,0.4,-0.4,0.3\na,0,val,w,q,1,0.5,0,0.3\n"
      "a,0,test,x,p,0,0.4,-0.4,0.3\na,0,test,y,p,1,0.2,-1.4,0.3\na,0,test,z,,1,1,20,0.3\n"
      "b,0,test,x,p,0,0.4,-0.4,0.5\nb,0,test,y,p,1,0.2,-1.4,0.5\nb,0,test,z,,1,1,30,0.5\n";
  const PredictionTable t = read(head + rows);
  EXPECT_EQ(t.groups, 2U);
  EXPECT_TRUE(t.grouped);
  EXPECT_EQ(t.arms[0].trials[0].predicted, (std::vector<std::size_t>{1, 0, 1}));
  EXPECT_EQ(t.arms[1].trials[0].predicted, (std::vector<std::size_t>{0, 0, 1}));
  EXPECT_EQ(t.arms[0].trials[0].ranks[2], 20);
  EXPECT_TRUE(t.arms[0].trials[0].collapsed) << "both validation images were called positive";
  EXPECT_FALSE(t.arms[1].trials[0].collapsed);
  ReadPredictions val;
  val.split = "vall";
  expect_has(error(head + rows, val), "test, val");
  val.split = "val";
  expect_has(error(head + rows, val), "nothing to compare");
  expect_has(error(kGood, val), "no column 'split'");
}

TEST_F(ReadPredictionsTest, AColumnForEachOfSeveralClasses) {
  const std::string head = "arm,seed,image,label,score_cat,score_dog,score_owl\n";
  const std::string rows =
      "a,0,x,cat,0.5,0.3,0.2\na,0,y,owl,0.1,0.2,0.7\nb,0,x,cat,0.2,0.4,0.4\nb,0,y,owl,0,nan,1\n";
  const PredictionTable t = read(head + rows);
  EXPECT_EQ(t.classes, (std::vector<std::string>{"cat", "dog", "owl"}));
  EXPECT_EQ(t.images[1].label, 2U);
  EXPECT_EQ(t.arms[1].trials[0].predicted, (std::vector<std::size_t>{1, 0}));
  // Labels that count the columns, as in a study's own tables.
  EXPECT_EQ(read(head + "a,0,x,0,0.5,0.3,0.2\na,0,y,2,0,0,1\nb,0,x,0,1,0,0\nb,0,y,2,1,0,0\n")
                .images[1]
                .label,
            2U);
  expect_has(error(head + "a,0,x,fox,1,0,0\nb,0,x,fox,1,0,0\n"), "label 'fox' has no score column");
  // Two columns are two classes, with all that goes with it.
  const PredictionTable two = read(
      "arm,seed,image,label,score_n,score_p\na,0,x,n,0.8,0.2\na,0,y,p,0.1,0.9\nb,0,x,n,0.3,0.7\n"
      "b,0,y,p,0.3,0.7\n");
  EXPECT_EQ(two.columns(), 1U);
  EXPECT_EQ(two.arms[0].trials[0].scores, (std::vector<double>{0.2, 0.9}));
  // Another order of columns in another file.
  const fs::path one = file("one.csv", head + "a,0,x,cat,0.5,0.3,0.2\n");
  const fs::path other = file(
      "other.csv", "arm,seed,image,label,score_owl,score_cat,score_dog\nb,0,x,cat,0.2,0.5,0.3\n");
  EXPECT_EQ(read_predictions(std::vector{one, other}, {}).arms[1].trials[0].scores,
            (std::vector<double>{0.5, 0.3, 0.2}));
  const fs::path less =
      file("less.csv", "arm,seed,image,label,score_cat,score_dog\nb,0,x,cat,0.5,0.5\n");
  EXPECT_THROW(read_predictions(std::vector{one, less}, {}), InputError);
}

TEST_F(ReadPredictionsTest, ErrorsNameTheFirstOffender) {
  EXPECT_EQ(error(kGood + "b,0,x,0,0.1\nb,0,y,1,0.1\n"),
            "p.csv:6: image 'x' of arm 'b', seed 0 stands here for the second time; the first is "
            "p.csv:4");
  EXPECT_EQ(error(kHead + "a,0,x,0,0.2\nb,0,x,1,0.2\n"),
            "p.csv:3: image 'x' has the label '1', but at p.csv:2 it is '0'");
  expect_has(error("arm,seed,image,label,score,group\na,0,x,0,0.2,p\nb,0,x,0,0.2,q\n"),
             "p.csv:3: image 'x' is of the group 'q', but at p.csv:2 of 'p'");
  expect_has(error(kGood + "b,1,x,0,0.5\n"), "arm 'b' has seed 1 and arm 'a' has not");
  expect_has(error(kGood + "a,0,z,0,0.5\n"), "p.csv:6: seed 0 of arm 'a' has image 'z', which");
  expect_has(error(kGood + "b,0,z,0,0.5\n"), "p.csv:6: seed 0 of arm 'b' has image 'z', which");
  expect_has(error("arm,seed,image,lable,score\n"), "no column 'label'; did you mean 'lable'?");
  expect_has(error("arm;seed;image;label;score\n"), "separated by commas");
  expect_has(error(kHead + "a,0,x,0,high\n"), "p.csv:2: score is 'high'");
  expect_has(error(kHead + "a,first,x,0,0.5\n"), "p.csv:2: seed is 'first'");
  expect_has(error(kHead + "a,0,x,0\n"), "p.csv:2: 4 fields, where the header has 5");
  expect_has(error(kHead + "a,0,\"x,0,0.5\n"), "p.csv:2: a quote is opened");
  expect_has(error(kHead), "no row");
  expect_has(error(""), "empty");
  expect_has(error(kHead + "a,0,x,0,0.2\na,0,y,1,0.2\n"), "one arm, 'a'");
  expect_has(error(kHead + "a,0,x,0,0.2\na,0,y,1,0.2\nb,0,x,0,1\nb,0,y,2,1\n"), "label");
  expect_has(
      error(kHead + "a,0,x,0,0.2\na,0,y,1,0.2\na,0,z,2,1\nb,0,x,0,1\nb,0,y,1,1\nb,0,z,2,1\n"),
      "score_<class>");
  expect_has(error("arm,arm,seed,image,label,score\n"), "two columns are called 'arm'");
}

TEST_F(ReadPredictionsTest, CommonUsesTheSharedSeedsAndSaysSo) {
  ReadPredictions options;
  options.common = true;
  const PredictionTable t = read(kGood + "b,1,x,0,0.5\nb,1,only here,0,0.5\n", options);
  EXPECT_EQ(t.arms[1].trials.size(), 1U);
  EXPECT_EQ(t.images.size(), 2U);
  expect_has(t.notes.back(), "left out: 1");
  expect_has(error(kHead + "a,0,x,0,0.2\nb,1,x,0,0.2\n", options), "share no seed");
}

TEST_F(ReadPredictionsTest, ScoresThatAreNoProbabilitiesHaveNoBrierScore) {
  const PredictionTable t = read(kHead + "a,0,x,0,-2\na,0,y,1,3\nb,0,x,0,1\nb,0,y,1,2\n");
  EXPECT_FALSE(t.probabilities);
  EXPECT_EQ(metrics_of(t).size(), 5U);
  expect_has(t.notes.back(), "outside [0, 1]");
}

// R 4.2: mcnemar's exact p is binom.test(1, 4)$p.value = 0.625.
TEST_F(ReadPredictionsTest, OneSeedOffersTestsOfTwoModels) {
  std::string text = "arm,seed,image,label,score\n";
  const double a[] = {0.1, 0.2, 0.6, 0.3, 0.9, 0.8, 0.7, 0.4};
  const double b[] = {0.1, 0.7, 0.8, 0.6, 0.9, 0.3, 0.6, 0.9};
  for (int i = 0; i < 8; ++i) {
    for (const char* arm : {"a", "b"}) {
      text += std::string(arm) + ",7,i" + std::to_string(i) + "," + (i < 4 ? "0," : "1,") +
              std::to_string(arm[0] == 'a' ? a[i] : b[i]) + "\n";
    }
  }
  const PredictionTable t = read(text);
  const std::vector<ModelComparison> models = compare_models(t);
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].only_a_right, 3);
  EXPECT_EQ(models[0].only_b_right, 1);
  EXPECT_NEAR(models[0].mcnemar_p, 0.625, 1e-12);
  EXPECT_FALSE(models[0].grouped_p);
  EXPECT_FALSE(models[0].auroc_by_jackknife);
  EXPECT_NEAR(*models[0].auroc_difference, 15.0 / 16 - 10.5 / 16, 1e-12);
  for (const Comparison& c : compare_arms(t, {})) EXPECT_EQ(c.e2.verdict, Verdict::not_allowed);
}

// Each patient's image given twice says no more than once; McNemar's test does not know that.
TEST_F(ReadPredictionsTest, OneSeedWithPatientsOfSeveralImagesCountsPatients) {
  const std::vector<double> right_a = {1, 1, 1, 1, 0, 1, 1, 1, 0, 1},
                            right_b = {1, 0, 0, 1, 0, 0, 1, 0, 0, 1};
  std::string text = "arm,seed,image,group,label,score\n";
  std::vector<double> d;
  for (std::size_t i = 0; i < right_a.size(); ++i) {
    d.push_back(right_a[i] - right_b[i]);
    for (const char* arm : {"a", "b"}) {
      const bool right = (arm[0] == 'a' ? right_a : right_b)[i] != 0, sick = i % 2 == 1;
      const std::string score = right == sick ? "0.8" : "0.3";
      for (const char* copy : {"left", "right"}) {
        text += std::string(arm) + ",0," + copy + std::to_string(i) + ",p" + std::to_string(i) +
                (sick ? ",1," : ",0,") + score + "\n";
      }
    }
  }
  const ModelComparison m = compare_models(read(text)).at(0);
  EXPECT_EQ(m.only_a_right, 8);
  EXPECT_NEAR(m.mcnemar_p, 2.0 / 256, 1e-12);
  EXPECT_NEAR(m.grouped_p.value(), two_sided_p(mean_estimate(d)), 1e-12);
  EXPECT_TRUE(m.auroc_by_jackknife);
  EXPECT_GT(m.auroc_p.value(), m.mcnemar_p);
}

}  // namespace
}  // namespace bioptic
