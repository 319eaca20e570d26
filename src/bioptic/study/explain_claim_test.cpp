// What an open claim says of the seeds and patients that it takes.
#include "bioptic/study/explain_claim.h"

#include <gtest/gtest.h>

#include <limits>

namespace bioptic {
namespace {

ClaimResult open_claim() {
  ClaimResult r;
  r.words = "test accuracy of 'a' less that of 'b'";
  r.effect = 0.01;
  r.low = -0.01;
  r.high = 0.03;
  r.seeds = 10;
  r.groups = 305;
  r.images = 400;
  r.detect = 0.02;
  for (JudgedEvidence* e : {&r.e1, &r.e2}) {
    e->verdict = Verdict::undecided;
    e->p_holm = 0.2;
    e->equivalence_p = std::numeric_limits<double>::quiet_NaN();
  }
  return r;
}

void expect_said(const ClaimResult& r, const std::string& words) {
  const std::string text = explain(r, nullptr);
  EXPECT_NE(text.find(words), std::string::npos) << text;
  EXPECT_EQ(text.find(". "), std::string::npos) << "one sentence: " << text;
}

TEST(ExplainClaim, SaysWhatToPlanWithAndHowWellThatIsKnown) {
  ClaimResult r = open_claim();
  r.seeds_needed = 14;
  r.seeds_needed_low = 6;
  expect_said(r,
              "; to see a true effect of 2.00 points (power 0.8), plan for 14 seeds, 4 more "
              "(judging from these 10 seeds, it takes 6 to 14).");
  r.seeds_needed_low = 14;
  expect_said(r, "plan for 14 seeds, 4 more.");
  r.seeds_needed = 8;
  expect_said(r, "would have been seen with a power of 0.8 by 8 seeds");
}

TEST(ExplainClaim, GivesSeedsUpOnlyWhereTheyCannotDo) {
  ClaimResult r = open_claim();
  r.cases_needed = 480;
  r.cases_needed_low = 310;
  r.cases_needed_seeds = 10;
  expect_said(r,
              "; more seeds cannot settle a true effect of 2.00 points on these patients, so plan "
              "for 480 of them with 10 seeds (judging from these 305 patients, it takes 310 to "
              "480).");
  r.seeds_needed_low = 23;
  expect_said(r,
              "; 10 seeds cannot tell yet whether more seeds would settle a true effect of 2.00 "
              "points on these patients (power 0.8): as few as 23 may be enough, or it may take "
              "more patients, up to 480 with 10 seeds, which more seeds will tell first.");
  r.inference = Inference::seeds;
  r.cases_needed.reset();
  expect_said(r, "takes at least 23 seeds");
  r.seeds_needed_low.reset();
  expect_said(r, "is beyond what more seeds can find");
}

}  // namespace
}  // namespace bioptic
