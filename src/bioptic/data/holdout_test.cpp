// What the hold-out and the control arm's splits promise.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "bioptic/base/error.h"
#include "bioptic/data/split.h"
#include "bioptic/data/test_images.h"

namespace bioptic {
namespace {

struct Made {
  std::string split, group;
  int label = 0;
};

// A dataset of one-pixel images.
Dataset make_dataset(const std::filesystem::path& folder, const std::vector<Made>& images) {
  DatasetInfo info;
  info.width = info.height = 1;
  info.classes = {"a", "b"};
  info.groups_from = "test";
  info.preprocessing = info.provenance = "{}";
  DatasetWriter writer(folder, info);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::uint8_t pixel = static_cast<std::uint8_t>(i);
    const std::string source = std::to_string(i);
    writer.add(std::span(&pixel, 1),
               {{}, source, images[i].label, images[i].split, images[i].group});
  }
  writer.finish();
  return Dataset::open(folder);
}

// Patients of one to five images; every fourth patient of train is in test, too.
std::vector<Made> patients(const std::string& validation = "") {
  std::vector<Made> images;
  for (int patient = 0; patient < 120; ++patient) {
    for (int k = 0; k <= patient % 5; ++k) {
      const bool to_val = !validation.empty() && patient % 3 == 0;
      images.push_back({to_val ? validation : "train", "p" + std::to_string(patient), patient % 2});
    }
  }
  for (int patient = 0; patient < 200; patient += 4) {
    const int label = patient / 4 % 2;
    images.push_back({"test", "p" + std::to_string(patient), label});
  }
  return images;
}

std::set<std::string> groups_of(const Groups& groups, const std::vector<std::uint32_t>& rows) {
  std::set<std::string> names;
  for (const std::uint32_t row : rows) names.insert(groups.names[row]);
  return names;
}

std::size_t in_both(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::size_t n = 0;
  for (const std::string& name : a) n += b.count(name);
  return n;
}

// Every image is in exactly one of the splits.
void expect_partition(const Dataset& dataset, const SplitPlan& plan, const Splits& splits) {
  std::map<std::uint32_t, int> times;
  for (const auto* rows : {&splits.train, &splits.val, &splits.test, &plan.holdout}) {
    for (const std::uint32_t row : *rows) ++times[row];
  }
  EXPECT_EQ(times.size(), dataset.size());
  for (const auto& [row, n] : times) EXPECT_EQ(n, 1) << row;
}

class HoldoutTest : public ::testing::TestWithParam<SplitBy> {
 protected:
  TestFolder folder_;
};

TEST_P(HoldoutTest, OwnGroupsSameForAllSeedsNeverTrainedOn) {
  const Dataset dataset = make_dataset(folder_ / "d", patients());
  const Groups groups = find_groups(dataset, "");
  SplitSpec spec;
  spec.split_by = GetParam();
  const SplitPlan without = plan_splits(dataset, groups, spec);
  EXPECT_TRUE(without.holdout.empty());
  spec.holdout_fraction = 0.1;
  const SplitPlan plan = plan_splits(dataset, groups, spec);
  EXPECT_EQ(plan.test, without.test);
  EXPECT_EQ(plan_splits(dataset, groups, spec).holdout, plan.holdout);

  // A tenth of the source, of each class, as nearly as whole patients of up to five images allow.
  for (const int label : {0, 1}) {
    double held = 0, source = 0;
    for (const auto row : plan.holdout) held += dataset.label(row) == label ? 1 : 0;
    for (const auto row : without.pool) source += dataset.label(row) == label ? 1 : 0;
    EXPECT_NEAR(held, 0.1 * source, 2.5) << label;
  }
  const std::set<std::string> held = groups_of(groups, plan.holdout);
  EXPECT_EQ(in_both(held, groups_of(groups, plan.test)), 0U);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Splits splits = draw_splits(dataset, groups, spec, plan, seed);
    expect_partition(dataset, plan, splits);
    EXPECT_EQ(in_both(held, groups_of(groups, splits.train)), 0U);
    EXPECT_EQ(in_both(held, groups_of(groups, splits.val)), 0U);
  }
}

TEST_P(HoldoutTest, ControlPoolsTheSourcesSplitsByGroup) {
  const Dataset dataset = make_dataset(folder_ / "d", patients());
  const Groups groups = find_groups(dataset, "");
  SplitSpec spec;
  spec.split_by = SplitBy::group;
  spec.holdout_fraction = 0.1;
  const SplitPlan source = plan_splits(dataset, groups, spec);
  // Patients with images in both of the source's splits, or the test below tests nothing.
  ASSERT_GT(in_both(groups_of(groups, source.test), groups_of(groups, source.pool)), 10U);
  spec.control = true;
  const SplitPlan plan = plan_splits(dataset, groups, spec);
  EXPECT_NE(plan.test, source.test);
  EXPECT_NEAR(static_cast<double>(plan.test.size()), static_cast<double>(source.test.size()), 5);
  EXPECT_NEAR(static_cast<double>(plan.holdout.size()), static_cast<double>(source.holdout.size()),
              5);
  std::size_t moved = 0;
  for (const auto row : plan.test) moved += dataset.record(row).split == "train" ? 1U : 0U;
  EXPECT_GT(moved, plan.test.size() / 2) << "test is drawn from all images";
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Splits splits = draw_splits(dataset, groups, spec, plan, seed);
    expect_partition(dataset, plan, splits);
    EXPECT_EQ(splits.test, plan.test);
    const std::vector<std::set<std::string>> names = {
        groups_of(groups, splits.train), groups_of(groups, splits.val),
        groups_of(groups, splits.test), groups_of(groups, plan.holdout)};
    for (std::size_t a = 0; a < names.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) EXPECT_EQ(in_both(names[a], names[b]), 0U) << a << b;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ByImageAndByGroup, HoldoutTest,
                         ::testing::Values(SplitBy::image, SplitBy::group));

TEST(Holdout, KeepsOffTheSourcesValidationToo) {
  const TestFolder folder;
  // Validation shares no patient with train here but with test; make two patients of val own images
  // of train as well.
  std::vector<Made> images = patients("val");
  images.push_back({"train", "p3", 1});
  images.push_back({"train", "p9", 1});
  const Dataset dataset = make_dataset(folder / "d", images);
  const Groups groups = find_groups(dataset, "");
  SplitSpec spec;
  spec.val = ValidationFrom::source;
  spec.holdout_fraction = 0.3;
  const SplitPlan plan = plan_splits(dataset, groups, spec);
  ASSERT_TRUE(plan.val_from_source);
  const std::set<std::string> held = groups_of(groups, plan.holdout);
  EXPECT_EQ(in_both(held, groups_of(groups, plan.fixed_val)), 0U);
  EXPECT_EQ(in_both(held, groups_of(groups, plan.test)), 0U);
  expect_partition(dataset, plan, draw_splits(dataset, groups, spec, plan, 0));
}

TEST(Holdout, NoGroupLeftIsAnError) {
  const TestFolder folder;
  std::vector<Made> images;
  for (int patient = 0; patient < 10; ++patient) {
    for (const char* split : {"train", "train", "test"}) {
      images.push_back({split, "p" + std::to_string(patient), patient % 2});
    }
  }
  const Dataset dataset = make_dataset(folder / "d", images);
  SplitSpec spec;
  spec.holdout_fraction = 0.1;
  const std::string error = error_of([&] { plan_splits(dataset, find_groups(dataset, ""), spec); });
  EXPECT_NE(error.find("the hold-out split has no image of class 'a'"), std::string::npos) << error;
  EXPECT_NE(error.find("groups that are not in the test split"), std::string::npos) << error;
}

}  // namespace
}  // namespace bioptic
