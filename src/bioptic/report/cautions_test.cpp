#include "bioptic/report/cautions.h"

#include <gtest/gtest.h>

#include "bioptic/report/comparisons.h"

namespace bioptic {
namespace {

TEST(ReportCautions, EveryArmsThresholdWhereTheyDiffer) {
  StudySummary summary;
  for (const char* name : {"tuned", "last"}) {
    summary.arms.emplace_back().name = name;
    summary.arms.back().threshold = "0.5";
  }
  EXPECT_EQ(thresholds_said(summary), "predictions use the threshold 0.5");
  summary.arms[0].threshold = "Youden's index on validation";
  EXPECT_EQ(thresholds_said(summary),
            "predictions use each arm's own threshold (tuned: Youden's index on validation; last: "
            "0.5)");
}

TEST(ReportCautions, SeveralMetricsAreSeveralChances) {
  std::vector<Comparison> comparisons(2);
  comparisons[0].metric = comparisons[1].metric = "accuracy";
  EXPECT_EQ(several_metrics_caution(comparisons), "");
  EXPECT_EQ(comparisons_html(comparisons).find("not corrected among themselves"),
            std::string::npos);
  comparisons[1].metric = "auroc";
  EXPECT_EQ(several_metrics_caution(comparisons), "") << "neither has a test";
  comparisons[0].e2.verdict = Verdict::undecided;
  EXPECT_EQ(several_metrics_caution(comparisons), "") << "one of them has a test";
  comparisons[1].e2.verdict = Verdict::undecided;
  EXPECT_NE(several_metrics_caution(comparisons).find("14 %"), std::string::npos);
  EXPECT_NE(comparisons_html(comparisons).find("not corrected among themselves"),
            std::string::npos);
  EXPECT_NE(comparisons_text(comparisons, true).find("corrected among themselves"),
            std::string::npos);
  EXPECT_EQ(comparisons_text(comparisons, false).find("corrected among themselves"),
            std::string::npos)
      << "one metric is shown";
}

TEST(ReportCautions, WhatASplitChoseStandsUnderTheTable) {
  std::vector<Comparison> comparisons(3);
  for (Comparison& c : comparisons) c.metric = "accuracy";
  EXPECT_EQ(chosen_caution(comparisons), "");
  for (std::size_t k : {1U, 2U}) {
    comparisons[k].split = "val";
    comparisons[k].chosen = "validation chose the epoch of 'a'";
  }
  EXPECT_EQ(chosen_caution(comparisons), "On the split val: validation chose the epoch of 'a'.");
  EXPECT_NE(comparisons_html(comparisons).find("On the split val: "), std::string::npos);
}

TEST(ReportCautions, MoreSeedsAreDecidedBeforehand) {
  std::vector<Comparison> comparisons(1);
  std::vector<ClaimResult> claims(1);
  EXPECT_EQ(more_seeds_caution(comparisons, claims), "");
  comparisons[0].e2.verdict = Verdict::undecided;
  comparisons[0].seeds = 10;
  comparisons[0].seeds_needed = 10;
  EXPECT_EQ(more_seeds_caution(comparisons, claims), "") << "these are enough";
  comparisons[0].seeds_needed = 11;
  EXPECT_NE(more_seeds_caution(comparisons, claims).find("16 %"), std::string::npos);
  comparisons[0].seeds_needed.reset();
  EXPECT_EQ(more_seeds_caution(comparisons, claims), "") << "no number of seeds";
  comparisons[0].seeds_needed_low = 12;
  EXPECT_NE(more_seeds_caution(comparisons, claims), "") << "more of them tell first";
  comparisons[0].e2.verdict = Verdict::not_allowed;
  EXPECT_EQ(more_seeds_caution(comparisons, claims), "");
  claims[0].e2.verdict = Verdict::undecided;
  claims[0].seeds = 5;
  claims[0].seeds_needed = 50;
  EXPECT_NE(more_seeds_caution(comparisons, claims).find("beforehand"), std::string::npos);
}

TEST(ReportCautions, TheLargerClassStandsBesideAccuracy) {
  StudySummary summary;
  summary.dataset.classes = {"healthy", "sick"};
  EXPECT_EQ(majority_said(summary), "");
  for (int i = 0; i < 8; ++i) summary.images.add({std::to_string(i), "test", "", i < 6 ? 0 : 1});
  for (int i = 8; i < 20; ++i) summary.images.add({std::to_string(i), "train", "", 1});
  EXPECT_NE(majority_said(summary).find("always predicting healthy"), std::string::npos);
  EXPECT_NE(majority_said(summary).find("75.0 %"), std::string::npos);
}

}  // namespace
}  // namespace bioptic
