// Reading predictions of other programs: what is understood, and what the errors name.
#include "bioptic/study/read_predictions.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/study/compare_arms.h"
#include "bioptic/study/compare_models.h"
#include "bioptic/study/compared_metrics.h"

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

// Names of classes do not tell which of them the score speaks for; the alphabet decides nothing.
TEST_F(ReadPredictionsTest, NamesOfClassesAreAskedFor) {
  const std::string text = kHead + "a,0,x,ill,0.9\na,0,y,well,0.1\nb,0,x,ill,0.8\nb,0,y,well,0.9\n";
  EXPECT_EQ(
      error(text),
      "p.csv: the labels are 'ill' and 'well', and nothing tells which of them a score speaks "
      "for; add --positive ill or --positive well (or a column 'positive'). The mean AUROC of "
      "all arms is 0.50 with --positive ill and 0.50 with --positive well");
  ReadPredictions options;
  options.positive = "well";
  const PredictionTable second = read(text, options);
  EXPECT_EQ(second.positive, 1U);
  EXPECT_EQ(second.arms[0].trials[0].predicted, (std::vector<std::size_t>{1, 0}));
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
  // Two numbers are no better than two names.
  const std::string numbers = kHead + "a,0,x,9,0.9\na,0,y,10,0.1\nb,0,x,9,0.8\nb,0,y,10,0.7\n";
  expect_has(error(numbers), "is 1.00 with --positive 9 and 0.00 with --positive 10");
  options.positive = "10";
  EXPECT_EQ(read(numbers, options).classes, (std::vector<std::string>{"9", "10"}));
  expect_has(error(kHead + "a,0,x,1,0.9\na,0,y,2,0.1\nb,0,x,1,0.8\nb,0,y,2,0.7\n"), "--positive 2");
  // As a shell takes it.
  expect_has(error(kHead + "a,0,x,no finding,0.9\na,0,y,it's,0.1\nb,0,x,no finding,0.9\n"
                           "b,0,y,it's,0.1\n"),
             "--positive 'it'\\''s' or --positive 'no finding'");
}

TEST_F(ReadPredictionsTest, PairsOfLabelsThatTellTheirPositive) {
  const auto with = [](const std::string& negative, const std::string& positive) {
    return kHead + "a,0,x," + positive + ",0.9\na,0,y," + negative + ",0.1\nb,0,x," + positive +
           ",0.8\nb,0,y," + negative + ",0.9\n";
  };
  for (const auto& [negative, positive] : {std::pair{"0", "1"},
                                           {"0.0", "1.0"},
                                           {"-1", "1"},
                                           {"-1", "+1"},
                                           {"False", "True"},
                                           {"FALSE", "TRUE"},
                                           {"no", "yes"},
                                           {"Negative", "Positive"}}) {
    const PredictionTable t = read(with(negative, positive));
    EXPECT_EQ(t.positive, t.images[0].label) << positive;
    EXPECT_TRUE(t.positive_known);
    EXPECT_EQ(t.arms[0].trials[0].predicted[0], t.images[0].label) << positive;
  }
  for (const auto& [one, other] : {std::pair{"1", "2"},
                                   {"0", "2"},
                                   {"case", "control"},
                                   {"true", "negative"},
                                   {"yes", "false"}}) {
    expect_has(error(with(one, other)), "nothing tells which");
  }
}

TEST_F(ReadPredictionsTest, OneClassAlone) {
  EXPECT_EQ(read(kHead + "a,0,x,1,0.9\nb,0,x,1,0.1\n").classes.size(), 2U);
  expect_has(error(kHead + "a,0,x,ill,0.9\nb,0,x,ill,0.1\n"), "--positive ill");
  const PredictionTable no = read(kHead + "a,0,x,No,0.9\nb,0,x,No,0.1\n");
  EXPECT_EQ(no.classes, (std::vector<std::string>{"No", "Yes"}));
  EXPECT_EQ(no.positive, 1U);
  ReadPredictions options;
  options.positive = "ill";
  EXPECT_EQ(read(kHead + "a,0,x,well,0.9\nb,0,x,well,0.1\n", options).images[0].label, 1U);
}

// A column per class names it: ranks, Brier score and log loss are the same for either class.
TEST_F(ReadPredictionsTest, TwoColumnsNeedNoPositiveClass) {
  const std::string head = "arm,seed,image,label,score_ill,score_well\n";
  const std::string rows =
      "a,0,x,ill,0.9,0.1\na,0,y,well,0.2,0.8\na,0,z,ill,0.4,0.6\n"
      "b,0,x,ill,0.7,0.3\nb,0,y,well,0.6,0.4\nb,0,z,ill,0.5,0.5\n";
  const PredictionTable t = read(head + rows);
  EXPECT_FALSE(t.positive_known);
  expect_has(t.notes[0], "--positive ill or --positive well");
  const std::vector<Metric> shown = compared_metrics(t);
  EXPECT_EQ(shown, (std::vector{Metric::accuracy, Metric::auroc, Metric::balanced_accuracy,
                                Metric::brier, Metric::log_loss}));
  for (const char* positive : {"ill", "well"}) {
    ReadPredictions options;
    options.positive = positive;
    const PredictionTable known = read(head + rows, options);
    EXPECT_TRUE(known.positive_known);
    EXPECT_EQ(compared_metrics(known).size(), 7U);
    for (const Metric m : shown) {
      for (std::size_t a = 0; a < 2; ++a) {
        // All but the exact tie of b's z, which goes to the class that is not the positive one.
        if (a == 1 && has_threshold(m)) continue;
        EXPECT_NEAR(metric_values(known, m).arms[a][0].value, metric_values(t, m).arms[a][0].value,
                    1e-12)
            << name_of(m) << " " << positive;
      }
    }
  }
  // A threshold is of one class, and rows that do not sum to 1 are two different scores.
  ReadPredictions cut;
  cut.threshold = 0.4;
  expect_has(error(head + rows, cut), "nothing tells which of them the threshold is for");
  expect_has(error(head + "a,0,x,ill,0.9,0.3\na,0,y,well,0.2,0.8\nb,0,x,ill,0.7,0.3\n"
                          "b,0,y,well,0.6,0.4\n"),
             "do not sum to 1 (first p.csv:2)");
  // Names that tell, and labels 0 and 1 that count the columns.
  EXPECT_EQ(read("arm,seed,image,label,score_yes,score_no\na,0,x,yes,0.9,0.1\nb,0,x,yes,0.5,0.5\n")
                .positive,
            0U);
  EXPECT_EQ(read(head + "a,0,x,1,0.9,0.1\nb,0,x,1,0.5,0.5\n").positive, 1U);
  EXPECT_TRUE(read(head + "a,0,x,1,0.9,0.1\nb,0,x,1,0.5,0.5\n").positive_known);
  EXPECT_FALSE(read("arm,seed,image,label,score_1,score_2\na,0,x,1,0.9,0.1\nb,0,x,1,0.5,0.5\n")
                   .positive_known);
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
  expect_has(error(head + "a,0,x,cat,1,0,0\na,0,y,fox,1,0,0\nb,0,x,cat,1,0,0\nb,0,y,fox,1,0,0\n"),
             "label 'fox' has no score column");
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

TEST_F(ReadPredictionsTest, TablesOfOtherProgramsAreTheSame) {
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
    return text;
  };
  const PredictionTable wanted = read(kGood);
  std::string utf16 = "\xFF\xFE";
  for (const char c : replaced(kGood, ",", "\t")) {
    utf16 += c;
    utf16 += '\0';
  }
  for (const std::string& text :
       {replaced(kGood, "\n", "\r"), replaced(kGood, ",", "\t"), utf16,
        replaced(replaced(kGood, ",", ";"), "0.", "0,"), replaced(kGood, "image,", "Image,"),
        replaced(kGood, "0.7\n", "0.7,\n"), kGood + ",,,,\n"}) {
    const PredictionTable table = read(text);
    EXPECT_EQ(table.arms[1].trials[0].scores, wanted.arms[1].trials[0].scores) << text;
    EXPECT_EQ(table.images.size(), 2U);
  }
  expect_has(read(replaced(kGood, ",", ";")).notes[1], "separated by semicolons");
}

TEST_F(ReadPredictionsTest, MissingGroupsAreNoPatient) {
  const std::string head = "arm,seed,image,label,score,group\n";
  std::string rows;
  for (const char* arm : {"a", "b"}) {
    for (const char* image :
         {"x,0,0.2,NA", "y,1,0.9,nan", "z,1,0.8,p", "u,0,0.1,p.0", "v,0,0.3,"}) {
      rows += std::string(arm) + ",0," + image + "\n";
    }
  }
  const PredictionTable table = read(head + rows);
  EXPECT_EQ(table.groups, 5U);
  expect_has(table.notes.back(), "3 of 5 images name no group");
  // A number as pandas writes it in a column with gaps, in one of two files.
  const PredictionTable mixed = read(head +
                                     "a,0,1,0,0.2,7\na,0,2,1,0.9,7\nb,0,1.0,0,0.2,7.0\n"
                                     "b,0,2.0,1,0.9,7.0\n");
  EXPECT_EQ(mixed.groups, 1U);
  EXPECT_EQ(mixed.images[0].id, "1");
}

TEST_F(ReadPredictionsTest, SplitsHaveManyNames) {
  const std::string head = "split,arm,seed,image,label,score\n";
  std::string rows;
  for (const char* row : {"a,0,x,0,0.2", "a,0,y,1,0.9", "b,0,x,0,0.7", "b,0,y,1,0.6"}) {
    rows += std::string("Testing,") + row + "\n" + "dev," + row + "\n";
  }
  EXPECT_EQ(read(head + rows).split, "test");
  ReadPredictions options;
  options.split = "Validation";
  EXPECT_EQ(read(head + rows, options).split, "val");
  expect_has(error(head + "NA,a,0,x,0,0.2\n"), "p.csv:2: split is empty");
}

TEST_F(ReadPredictionsTest, FilesOfOneNameAskForArms) {
  const std::string rows = "seed,image,label,score\n0,x,0,0.2\n0,y,1,0.9\n";
  fs::create_directories(folder_ / "a");
  fs::create_directories(folder_ / "b");
  const std::vector files = {file("a/p.csv", rows), file("b/p.csv", rows)};
  try {
    read_predictions(files, {});
    ADD_FAILURE();
  } catch (const InputError& e) {
    expect_has(e.what(), "a file's name is its arm");
  }
}

TEST_F(ReadPredictionsTest, LabelsThatAreMissingOrNoText) {
  expect_has(error(kHead + "a,0,x,0,0.2\na,0,y,NA,0.9\n"), "p.csv:3: label is 'NA'");
  expect_has(error(kHead + "a,0,x,0,0.2\na,0,y,,0.9\na,0,z,1,0.9\na,0,w,nan,0.9\n"),
             "p.csv:3: label is empty, and so in 2 of the 3 rows from there on");
  expect_has(error(kHead + "a,0,x,erh\xF6ht,0.2\n"),
             "p.csv:2: the label is not UTF-8: 'erh\\xF6ht'");
  expect_has(error(kHead + "a,0,x,erh\xF6ht,0.2\n"), "iconv -f windows-1252 -t utf-8 p.csv");
  expect_has(error(kHead + "a,0,x,0,\"0,2\"\n"), "expected a number with a point");
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
  expect_has(error("arm:seed:image:label:score\n"), "it has arm:seed:image:label:score");
  expect_has(error(kHead + "a,0,x,0,high\n"), "p.csv:2: score is 'high'");
  expect_has(error(kHead + "a,first,x,0,0.5\n"), "p.csv:2: seed is 'first'");
  expect_has(error(kHead + "a,0,x,0\n"), "p.csv:2: has 4 fields, the header line 5");
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

TEST_F(ReadPredictionsTest, ScoresThatAreNoProbabilitiesAreRefused) {
  const std::string text = kHead + "a,0,x,0,0.5\na,0,y,1,3\nb,0,x,0,1\nb,0,y,1,-2\n";
  EXPECT_EQ(error(text),
            "p.csv:3: score is 3; expected a probability from 0 to 1. Say --logits if the column "
            "holds logits (log odds), or any other scores whose order counts, with --threshold for "
            "where they call an image positive (else 0); divide percentages by 100");
  expect_has(error("arm,seed,image,label,score_p,score_q,score_r\na,0,x,p,0.5,-1,1.5\n"),
             "p.csv:2: score_q is -1");
  // Rounding is cut, and counted.
  const PredictionTable t =
      read(kHead + "a,0,x,0,-0.0000001\na,0,y,1,1.0000009\nb,0,x,0,0.5\nb,0,y,1,0.5\n");
  EXPECT_TRUE(t.probabilities);
  EXPECT_EQ(t.arms[0].trials[0].scores, (std::vector<double>{0, 1}));
  expect_has(t.notes.at(1), "2 scores lie a rounding error outside [0, 1]");
  expect_has(t.notes.at(1), "p.csv:2.");
  expect_has(error(kHead + "a,0,x,0,1.000002\nb,0,x,0,0.5\n"), "p.csv:2: score is 1.000002");
  // Rows that do not sum to 1 are not refused.
  const PredictionTable three = read(
      "arm,seed,image,label,score_p,score_q,score_r\na,0,x,p,0.5,0.5,0.5\nb,0,x,p,0.5,0.3,0.2\n");
  EXPECT_FALSE(three.probabilities);
  expect_has(three.notes.back(), "do not sum to 1");
}

TEST_F(ReadPredictionsTest, LogitsWhereTheyAreSaidToBe) {
  ReadPredictions options;
  options.logits = true;
  const std::string text = kHead + "a,0,x,0,-2\na,0,y,1,3\nb,0,x,0,1\nb,0,y,1,0\n";
  const PredictionTable t = read(text, options);
  EXPECT_TRUE(t.probabilities);
  EXPECT_EQ(t.arms[0].trials[0].ranks, (std::vector<double>{-2, 3}));
  EXPECT_NEAR(t.arms[0].trials[0].scores[1], 1 / (1 + std::exp(-3)), 1e-15);
  EXPECT_EQ(t.arms[0].trials[0].predicted, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(t.arms[1].trials[0].predicted, (std::vector<std::size_t>{1, 0})) << "0 is not above 0";
  expect_has(t.notes.back(), "above the threshold, 0,");
  options.threshold = 2;  // in the units of the scores
  EXPECT_EQ(read(text, options).arms[1].trials[0].predicted, (std::vector<std::size_t>{0, 0}));
  EXPECT_EQ(read(text, options).arms[0].trials[0].predicted, (std::vector<std::size_t>{0, 1}));
  options.threshold.reset();
  // Of every class: the softmax, and the order of one class against the rest where that rounds.
  const PredictionTable three = read(
      "arm,seed,image,label,score_p,score_q,score_r\na,0,x,p,1,2,3\na,0,y,p,80,0,0\n"
      "a,0,z,q,90,0,0\nb,0,x,p,0,0,0\nb,0,y,p,0,0,0\nb,0,z,q,nan,0,0\n",
      options);
  EXPECT_TRUE(three.probabilities);
  const PredictedTrial& own = three.arms[0].trials[0];
  const double sum = std::exp(1) + std::exp(2) + std::exp(3);
  EXPECT_NEAR(own.scores[2], std::exp(3) / sum, 1e-15);
  EXPECT_NEAR(own.ranks[2], std::log(std::exp(3) / (sum - std::exp(3))), 1e-12);
  EXPECT_LT(own.ranks[3], own.ranks[6]);
  EXPECT_EQ(own.predicted, (std::vector<std::size_t>{2, 0, 0}));
  EXPECT_EQ(three.arms[1].trials[0].not_finite, 1U);
  // Two columns: their difference.
  const PredictionTable two =
      read("arm,seed,image,label,score_n,score_p\na,0,x,n,-1,2\nb,0,x,n,5,2\n", options);
  EXPECT_NEAR(two.arms[0].trials[0].scores[0], 1 / (1 + std::exp(-3)), 1e-15);
  // What cannot be logits.
  expect_has(error(kGood, options), "leave --logits out");
  const std::string above = kHead + "a,0,x,0,20\na,0,y,1,80\nb,0,x,0,0.5\nb,0,y,1,0.5\n";
  expect_has(error(above, options), "every image would be called positive; say --threshold");
  options.threshold = 50;
  const PredictionTable ordered = read(above, options);
  EXPECT_EQ(ordered.arms[0].trials[0].predicted, (std::vector<std::size_t>{0, 1}));
  EXPECT_FALSE(ordered.probabilities);
  expect_has(ordered.notes.back(),
             "above the threshold, 50; Brier score and log loss are left out");
  options.threshold.reset();
  expect_has(error(kHead + "a,0,x,0,-0.1\nb,0,x,0,-3\n", options), "called negative");
  expect_has(error("arm,seed,image,label,score,logit\na,0,x,0,0.5,0\n", options),
             "there is a column of logits besides the scores");
}

TEST_F(ReadPredictionsTest, ScoresThatAreLabels) {
  const std::string soft = "b,0,x,0,0.5\nb,0,y,1,0.5\n";
  const PredictionTable t = read(kHead + "a,0,x,0,0\na,0,y,1,1\n" + soft);
  EXPECT_TRUE(t.arms[0].hard);
  EXPECT_FALSE(t.arms[1].hard);
  EXPECT_EQ(compared_metrics(t), (std::vector{Metric::accuracy, Metric::balanced_accuracy,
                                              Metric::sensitivity, Metric::specificity}));
  expect_has(t.notes.back(), "All scores of a are 0 or 1: labels");
  expect_has(why_left_out(t, Metric::auroc), "all scores of arm 'a' are 0 or 1");
  // One number alone is a training that says the same of all, and logits rank.
  EXPECT_FALSE(read(kHead + "a,0,x,0,1\na,0,y,1,1\n" + soft).arms[0].hard);
  EXPECT_FALSE(read("arm,seed,image,label,score,logit\na,0,x,0,0,-800\na,0,y,1,1,900\n"
                    "b,0,x,0,0.5,0\nb,0,y,1,0.5,0\n")
                   .arms[0]
                   .hard);
  EXPECT_TRUE(
      read("arm,seed,image,label,score_p,score_q,score_r\na,0,x,p,0,1,0\nb,0,x,p,0.5,0.3,0.2\n")
          .arms[0]
          .hard);
}

TEST_F(ReadPredictionsTest, AThresholdThatIsNotFinite) {
  for (const char* bad : {"nan", "inf", "-inf", ""}) {
    expect_has(
        error("arm,seed,image,label,score,threshold\na,0,x,0,0.5," + std::string(bad) + "\n"),
        "p.csv:2: threshold is '" + std::string(bad) + "'; expected a finite number");
  }
  ReadPredictions options;
  options.threshold = std::nan("");
  expect_has(error(kGood, options), "--threshold is not a finite number");
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
