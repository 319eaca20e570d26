// Class weights, image weights and the balanced sampler: their numbers, and what they do to a step.
#include "bioptic/train/weights.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "bioptic/base/error.h"
#include "bioptic/model/schedule.h"
#include "bioptic/train/batches.h"
#include "bioptic/train/sampler.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

// 4 x 4 noise-free images; labels 0 0 0 0 0 0 1 1 1 2, repeated; weights 0.5, 1, 1.5, ...
class Weights : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bioptic-weights-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Dataset make(std::size_t images, bool weighted) const {
    DatasetInfo info;
    info.height = info.width = 4;
    info.classes = {"common", "rare", "rarest"};
    info.weighted = weighted;
    const fs::path place = folder_ / (weighted ? "weighted" : "plain");
    DatasetWriter writer(place, info);
    const std::vector<std::int64_t> labels = {0, 0, 0, 0, 0, 0, 1, 1, 1, 2};
    for (std::size_t i = 0; i < images; ++i) {
      const std::vector<std::uint8_t> pixels(16, static_cast<std::uint8_t>(i));
      const double weight = 0.5 * static_cast<double>(i % 4 + 1);
      writer.add(std::span<const std::uint8_t>(pixels),
                 {{}, "i", labels[i % labels.size()], "", "", weight});
    }
    writer.finish();
    return Dataset::open(place);
  }
  static std::vector<std::uint32_t> all_rows(const Dataset& dataset) {
    std::vector<std::uint32_t> rows(dataset.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint32_t>(i);
    return rows;
  }

  fs::path folder_;
};

TEST_F(Weights, BalancedClassWeightsAreScikitLearns) {
  // compute_class_weight("balanced", classes=[0, 1, 2], y=[0] * 60 + [1] * 30 + [2] * 10)
  const std::vector<std::size_t> counts = {60, 30, 10};
  const auto weights = balanced_class_weights(counts, {"a", "b", "c"});
  EXPECT_DOUBLE_EQ(weights[0], 0.5555555555555556);
  EXPECT_DOUBLE_EQ(weights[1], 1.1111111111111112);
  EXPECT_DOUBLE_EQ(weights[2], 3.3333333333333335);
  try {
    balanced_class_weights(std::vector<std::size_t>{3, 0}, {"a", "gone"});
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("'gone'"), std::string::npos) << e.what();
  }
}

TEST_F(Weights, AreSettledOnceForALoss) {
  LossSpec loss;
  loss.pos_weight = 3;
  const std::vector<std::size_t> counts = {10, 30};
  EXPECT_TRUE(settled_loss(loss, 1, counts, {"a", "b"}).class_weight.empty());
  const LossSpec first = settled_loss(loss, 0, counts, {"a", "b"});
  EXPECT_EQ(first.class_weight, (std::vector<double>{3, 1}));
  EXPECT_FALSE(first.pos_weight);
  loss.balanced = true;
  const LossSpec both = settled_loss(loss, 0, counts, {"a", "b"});
  EXPECT_FALSE(both.balanced);
  EXPECT_DOUBLE_EQ(both.class_weight[0], 3 * 40.0 / (2 * 10));
  EXPECT_DOUBLE_EQ(both.class_weight[1], 40.0 / (2 * 30));
}

TEST_F(Weights, OfImagesAreReadWhereTheyAreAskedFor) {
  const Dataset plain = make(10, false), weighted = make(10, true);
  TrainSpec train;
  EXPECT_TRUE(sample_weights(train, weighted).empty());
  train.sample_weight = true;
  EXPECT_EQ(sample_weights(train, weighted)[2], 1.5);
  EXPECT_THROW(sample_weights(train, plain), InputError);
}

// As torch.nn.BCEWithLogitsLoss(weight = w): the mean over the batch's number of images.
TEST_F(Weights, OfImagesMultiplyTheirCoefficients) {
  const Dataset dataset = make(10, true);
  TrainSpec train;
  train.batch_size = 4;
  train.epochs = 1;
  train.sample_weight = true;
  train.loss.kind = LossKind::cross_entropy;
  train.loss.class_weight = {1, 2, 4};
  const Schedule schedule(train.schedule, train.optimizer, 3, 1);
  const Normaliser normaliser = Normaliser::fit(train.normalisation, dataset, all_rows(dataset));
  const NormalisedImages images(dataset, normaliser, all_rows(dataset));
  const std::vector<double> weights = sample_weights(train, dataset);
  const BatchContext context{&images, &train, &schedule, 3, 0, nullptr, nullptr, weights};
  EpochSource source(context, {9, 0, 1, 6, 2, 3}, 1, {},
                     [](std::int64_t, const Step&, std::span<const std::uint32_t>) {});
  const Step* step = source.next();
  // weights of rows 9, 0, 1, 6: 1, 0.5, 1, 1.5; the labels' weights 4 + 1 + 1 + 2
  const std::vector<float> expected = {1 / 8.0F, 0.5F / 8, 1 / 8.0F, 1.5F / 8};
  EXPECT_EQ(step->coefficients, expected);
}

TEST_F(Weights, ShuffledOrderIsEveryImageOnce) {
  const Dataset dataset = make(50, false);
  const auto rows = all_rows(dataset);
  const auto order = sampled_order(dataset, rows, Sampler::shuffle, 3, 2);
  EXPECT_EQ(order, epoch_order(rows, 3, 2));
  EXPECT_EQ(std::set<std::uint32_t>(order.begin(), order.end()).size(), 50U);
}

TEST_F(Weights, BalancedOrderDrawsEveryClassAndEveryImageOfItEquallyOften) {
  const Dataset dataset = make(100, false);  // 60, 30, 10
  const auto rows = all_rows(dataset);
  std::map<std::int64_t, double> of_class;
  std::map<std::uint32_t, double> of_row;
  constexpr int kEpochs = 300;
  for (int epoch = 1; epoch <= kEpochs; ++epoch) {
    const auto order = sampled_order(dataset, rows, Sampler::balanced, 5, epoch);
    ASSERT_EQ(order.size(), rows.size());
    for (const std::uint32_t row : order) {
      of_class[dataset.label(row)] += 1;
      of_row[row] += 1;
    }
  }
  const double draws = 100.0 * kEpochs;
  for (const auto& [label, n] : of_class) {  // binomial with p = 1/3: within 4.5 standard errors
    EXPECT_NEAR(n, draws / 3, 4.5 * std::sqrt(draws * 2 / 9)) << label;
  }
  const std::map<std::int64_t, double> members = {{0, 60}, {1, 30}, {2, 10}};
  ASSERT_EQ(of_row.size(), 100U);
  for (const auto& [row, n] : of_row) {  // 100 of them: 4.5 standard errors are beyond 1 in 1,400
    const double p = 1 / (3 * members.at(dataset.label(row)));
    EXPECT_NEAR(n, draws * p, 4.5 * std::sqrt(draws * p * (1 - p))) << row;
  }
}

TEST_F(Weights, BalancedOrderIsAFunctionOfSeedAndEpochAndOfTheTrainingRows) {
  const Dataset dataset = make(100, false);
  auto rows = all_rows(dataset);
  rows.resize(60);
  const auto order = sampled_order(dataset, rows, Sampler::balanced, 5, 1);
  EXPECT_EQ(order, sampled_order(dataset, rows, Sampler::balanced, 5, 1));
  EXPECT_NE(order, sampled_order(dataset, rows, Sampler::balanced, 5, 2));
  EXPECT_NE(order, sampled_order(dataset, rows, Sampler::balanced, 6, 1));
  for (const std::uint32_t row : order) EXPECT_LT(row, 60U);
  // Classes that the training rows lack are not drawn, and the others still are equally.
  const std::vector<std::uint32_t> two = {0, 1, 2, 6};
  const auto without = sampled_order(dataset, two, Sampler::balanced, 1, 1);
  for (const std::uint32_t row : without) {
    EXPECT_TRUE(row == 0 || row == 1 || row == 2 || row == 6);
  }
}

}  // namespace
}  // namespace bioptic
