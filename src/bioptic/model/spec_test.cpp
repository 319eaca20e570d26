#include "bioptic/model/spec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/model/loss.h"
#include "bioptic/model/parameters.h"
#include "bioptic/model/schedule.h"

namespace bioptic {
namespace {

// A specification in which every field differs from its default.
TrainSpec unusual() {
  TrainSpec s;
  s.model = {{32, 16, 8}, Activation::gelu, 0.25};
  s.loss = {LossKind::cross_entropy, {0.1, 1.0 / 3}, std::nullopt, 0.05};
  s.optimizer.kind = OptimizerKind::adamw;
  s.optimizer.lr = 0.0123456789012345678;
  s.optimizer.beta1 = 0.8;
  s.optimizer.beta2 = 0.95;
  s.optimizer.eps = 1e-7;
  s.optimizer.weight_decay = 0.02;
  s.schedule.kind = ScheduleKind::one_cycle;
  s.schedule.max_lr = 0.05;
  s.schedule.warmup_epochs = 1.5;
  s.epochs = 7;
  s.batch_size = 11;
  s.threshold = {ThresholdKind::sensitivity, 0.95};
  s.early_stopping = EarlyStopping{ValidationMetric::auroc, 4, 0.001};
  s.select = ValidationMetric::accuracy;
  s.train_eval = true;
  s.augment = {0.1, 12.5, 0.2, true, 0.3, 0.4, 5.5};
  return s;
}

TEST(CanonicalJson, ReadsBackAsItself) {
  for (const auto loss : {LossKind::bce, LossKind::bce_with_logits, LossKind::cross_entropy}) {
    for (const auto optimizer : {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw}) {
      for (int kind = 0; kind <= static_cast<int>(ScheduleKind::plateau); ++kind) {
        TrainSpec spec = unusual();
        spec.loss.kind = loss;
        spec.loss.pos_weight = 2.5;
        spec.optimizer.kind = optimizer;
        spec.schedule.kind = static_cast<ScheduleKind>(kind);
        const std::string text = canonical_json(spec);
        EXPECT_EQ(canonical_json(train_spec_from_json(text)), text);
      }
    }
  }
  TrainSpec balanced = unusual();
  balanced.loss.class_weight.clear();
  balanced.loss.balanced = true;
  balanced.sampler = Sampler::balanced;
  balanced.sample_weight = true;
  const TrainSpec again = train_spec_from_json(canonical_json(balanced));
  EXPECT_TRUE(again.loss.balanced);
  EXPECT_TRUE(again.loss.class_weight.empty());
  EXPECT_EQ(again.sampler, Sampler::balanced);
  EXPECT_TRUE(again.sample_weight);
  EXPECT_EQ(canonical_json(again), canonical_json(balanced));

  const TrainSpec back = train_spec_from_json(canonical_json(unusual()));
  EXPECT_EQ(back.model.hidden, unusual().model.hidden);
  EXPECT_EQ(back.optimizer.lr, unusual().optimizer.lr);
  EXPECT_EQ(back.loss.class_weight, unusual().loss.class_weight);
  EXPECT_EQ(back.early_stopping->metric, ValidationMetric::auroc);
  EXPECT_EQ(back.select, ValidationMetric::accuracy);
  EXPECT_EQ(back.augment.noise, 5.5);
}

// A trial that does not augment keeps the id that it had before there was augmentation.
TEST(CanonicalJson, NamesAugmentationOnlyWhereItDoesSomething) {
  TrainSpec spec;
  EXPECT_EQ(canonical_json(spec).find("augment"), std::string::npos);
  spec.augment.flip = true;
  EXPECT_NE(canonical_json(spec).find("\"augment\":{\"brightness\":0.0,\"contrast\":0.0,\"flip\":"
                                      "true,\"noise\":0.0,\"rotate\":0.0,\"scale\":0.0,\"shift\":"
                                      "0.0,\"version\":1}"),
            std::string::npos)
      << canonical_json(spec);
}

// Two specifications that train alike have one text: a field that no kind reads is not in it.
TEST(CanonicalJson, HoldsOnlyWhatIsRead) {
  TrainSpec a, b;
  b.optimizer.momentum = 0.9;
  b.schedule.max_lr = 1;
  b.loss.label_smoothing = 0.1;
  EXPECT_EQ(canonical_json(a), canonical_json(b));
  b.optimizer.beta1 = 0.8;
  EXPECT_NE(canonical_json(a), canonical_json(b));
}

// p / 255 leaves no trace in it: trials from before there was a choice keep their ids.
TEST(CanonicalJson, NormalisationIsInItUnlessItIsTheDefault) {
  TrainSpec spec;
  EXPECT_EQ(canonical_json(spec).find("normalisation"), std::string::npos);
  spec.normalisation.tiles = 4;  // not read
  EXPECT_EQ(canonical_json(spec), canonical_json(TrainSpec{}));
  spec.normalisation.kind = NormalisationKind::image;
  EXPECT_NE(canonical_json(spec).find(R"("normalisation":{"kind":"image"})"), std::string::npos);
  spec.normalisation.kind = NormalisationKind::clahe;
  spec.normalisation.clip_limit = 0.25;
  EXPECT_NE(
      canonical_json(spec).find(R"("normalisation":{"clip_limit":0.25,"kind":"clahe","tiles":4})"),
      std::string::npos);
  const TrainSpec back = train_spec_from_json(canonical_json(spec));
  EXPECT_EQ(canonical_json(back), canonical_json(spec));
  EXPECT_EQ(back.normalisation.tiles, 4);
}

// What came later is written only where it is used: a trial of before keeps its id.
TEST(CanonicalJson, IsThatOfBeforeWithoutWeightsAndSampler) {
  EXPECT_EQ(canonical_json(TrainSpec{}),
            R"({"batch_size":30,"epochs":30,"loss":{"class_weight":[],"kind":"bce_with_logits"},)"
            R"("model":{"activation":"relu","dropout":0.0,"hidden":[64,64],"kind":"mlp"},)"
            R"("optimizer":{"betas":[0.9,0.999],"eps":1e-08,"kind":"adam","lr":0.001,)"
            R"("weight_decay":0.0},"scheduler":{"interval":"step","kind":"constant"},)"
            R"("select":"last","threshold":{"kind":"fixed","value":0.5},"train_eval":false})");
}

TEST(CanonicalJson, DamagedTextIsAnInputError) {
  for (const char* text : {"", "{", "[]", "{}", "{\"model\":{\"activation\":\"selu\"}}"}) {
    EXPECT_THROW(train_spec_from_json(text), InputError) << text;
  }
}

TEST(Names, AreThoseOfTheStudyFile) {
  EXPECT_STREQ(name_of(LossKind::bce_with_logits), "bce_with_logits");
  EXPECT_STREQ(name_of(ScheduleKind::cosine_restarts), "cosine_restarts");
  EXPECT_STREQ(name_of(ValidationMetric::auroc), "val_auroc");
  EXPECT_EQ(output_count(LossKind::bce, 2), 1);
  EXPECT_EQ(output_count(LossKind::cross_entropy, 2), 2);
}

TEST(Parameters, StartAsPyTorchDoes) {
  ModelSpec model;
  const auto shapes = layer_shapes(100, model, 1);
  ASSERT_EQ(shapes.size(), 3U);
  EXPECT_EQ(shapes[2].in, 64U);
  const Parameters p = initial_parameters(shapes, 3);
  double sum = 0, squares = 0;
  for (const float w : p.layers[0].weight) {
    EXPECT_LE(std::abs(w), 0.1F);  // 1/sqrt(100)
    sum += w;
    squares += w * w;
  }
  // Uniform on [-0.1, 0.1]: variance 0.1^2 / 3.  Over 6,400 weights the mean has a standard error
  // of 7.2e-4 and the mean square one of 3.7e-5; five of either.
  const double n = 6400;
  EXPECT_NEAR(sum / n, 0, 5 * 7.2e-4);
  EXPECT_NEAR(squares / n, 0.01 / 3, 5 * 3.7e-5);
}

// Each tensor has a stream of its own: arms of other shapes share the tensors they have in common.
TEST(Parameters, AgreeWhereShapesAgree) {
  ModelSpec narrow, deep;
  deep.hidden = {64, 64, 32};
  const Parameters a = initial_parameters(layer_shapes(50, narrow, 1), 9);
  const Parameters b = initial_parameters(layer_shapes(50, deep, 2), 9);
  EXPECT_EQ(a.layers[0].weight, b.layers[0].weight);
  EXPECT_EQ(a.layers[1].bias, b.layers[1].bias);
  EXPECT_NE(parameters_sha256(a), parameters_sha256(b));
  EXPECT_NE(initial_parameters(layer_shapes(50, narrow, 1), 10).layers[0].weight,
            a.layers[0].weight);
  EXPECT_EQ(module_index(2, false), 4U);
  EXPECT_EQ(module_index(2, true), 6U);
}

TEST(Loss, DenominatorIsTheSumOfWeightsForCrossEntropyOnly) {
  const std::vector<std::int64_t> labels = {0, 1, 1};
  LossSpec spec;
  spec.class_weight = {0.5, 2};
  EXPECT_EQ(loss_denominator(spec, labels), 3);
  spec.kind = LossKind::cross_entropy;
  EXPECT_EQ(loss_denominator(spec, labels), 4.5);
}

// The gradient is the loss's own slope: central differences, whose error is h^2/6 times a third
// derivative below 1 times the weights, plus 2^-52 times the loss over h.
TEST(Loss, GradientIsTheSlope) {
  LossSpec bce{LossKind::bce, {0.7, 1.9}, std::nullopt, 0};
  LossSpec logits{LossKind::bce_with_logits, {0.7, 1.9}, 2.5, 0};
  LossSpec entropy{LossKind::cross_entropy, {0.7, 1.9, 1.1}, std::nullopt, 0.2};
  constexpr double h = 1e-5;
  for (const LossSpec& spec : {bce, logits, entropy}) {
    const bool three = spec.kind == LossKind::cross_entropy;
    for (const double z0 : {-9.0, -0.3, 0.0, 4.0}) {
      std::vector<double> z = three ? std::vector<double>{z0, 1, -2} : std::vector<double>{z0};
      for (std::int64_t label = 0; label < (three ? 3 : 2); ++label) {
        std::vector<double> gradient(z.size());
        sample_loss<double>(spec, z, label, gradient);
        for (std::size_t c = 0; c < z.size(); ++c) {
          std::vector<double> up = z, down = z;
          up[c] += h;
          down[c] -= h;
          const double slope = (sample_loss<double>(spec, up, label, {}) -
                                sample_loss<double>(spec, down, label, {})) /
                               (2 * h);
          EXPECT_NEAR(gradient[c], slope, 5 * h * h + 45 * 0x1p-52 / h)
              << name_of(spec.kind) << ' ' << z0 << ' ' << label;
        }
      }
    }
  }
}

TEST(Loss, StaysFiniteAtAnyFiniteLogit) {
  for (const auto kind : {LossKind::bce, LossKind::bce_with_logits, LossKind::cross_entropy}) {
    LossSpec spec;
    spec.kind = kind;
    for (const float size : {0.0F, 100.0F, 1e4F, 1e30F}) {
      for (const float z : {size, -size}) {
        const std::vector<float> logits =
            kind == LossKind::cross_entropy ? std::vector<float>{z, 0} : std::vector<float>{z};
        for (std::int64_t label = 0; label < 2; ++label) {
          std::vector<float> gradient(logits.size());
          EXPECT_TRUE(std::isfinite(sample_loss<float>(spec, logits, label, gradient))) << z;
          for (const float g : gradient) EXPECT_TRUE(std::abs(g) <= 1) << z;
        }
      }
    }
  }
}

TEST(Loss, ProbabilitiesSumToOne) {
  const std::vector<float> logits = {1000, 999, -1000};
  std::vector<float> p(3);
  probabilities(LossKind::cross_entropy, logits, p);
  EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-6);
  EXPECT_NEAR(p[0], 0.731058578, 1e-6);
}

// Durations are compiled from epochs: one that has no step is an error that names its key.
TEST(Schedule, DurationWithoutAStepNamesItsKey) {
  const OptimizerSpec optimizer;
  const auto message = [&](const ScheduleSpec& spec) -> std::string {
    try {
      Schedule(spec, optimizer, 10, 5);
    } catch (const InputError& e) {
      return e.what();
    }
    return "";
  };
  ScheduleSpec spec;
  spec.kind = ScheduleKind::cosine;
  spec.duration_epochs = 0.04;
  EXPECT_NE(message(spec).find("duration"), std::string::npos);
  spec.duration_epochs = 0.05;  // rounds to one step
  EXPECT_EQ(message(spec), "");
  spec.duration_epochs = 0;
  spec.warmup_epochs = 0.01;
  EXPECT_NE(message(spec).find("warmup"), std::string::npos);
  spec.warmup_epochs = 5;
  EXPECT_NE(message(spec).find("warm-up"), std::string::npos);
  spec.warmup_epochs = 0;
  spec.kind = ScheduleKind::step;
  spec.interval = ScheduleInterval::epoch;
  spec.step_epochs = 0.4;
  EXPECT_NE(message(spec).find("step_size"), std::string::npos);
}

// A schedule over the whole run ends with its last step, whatever the batch size makes of an epoch.
TEST(Schedule, SpansTheRunExactly) {
  OptimizerSpec optimizer;
  ScheduleSpec spec;
  spec.kind = ScheduleKind::one_cycle;
  spec.max_lr = 0.1;
  for (const std::int64_t per_epoch : {1, 3, 64, 191}) {
    const Schedule schedule(spec, optimizer, per_epoch, 10);
    EXPECT_NEAR(schedule.at(0, {}).lr, 0.1 / 25, 1e-12);
    EXPECT_NEAR(schedule.at(per_epoch * 10 - 1, {}).lr, 0.1 / 25 / 1e4, 1e-15);
    EXPECT_NEAR(*schedule.at(per_epoch * 10 - 1, {}).momentum, 0.95, 1e-12);
  }
}

}  // namespace
}  // namespace bioptic
