#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/study/settings.h"
#include "bioptic/study/spec.h"

namespace bioptic {
namespace {

const std::string kArm = "\n[[arm]]\nname = 'a'\n";

StudySpec parse(const std::string& text) { return parse_study_text(text, "folder/s.toml"); }
TrainSpec train_of(const std::string& lines) {
  return parse("[train]\n" + lines + kArm).arms[0].train;
}

std::string message_of(const std::string& text) {
  try {
    parse(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

// ---- what good files mean
// ------------------------------------------------------------------------

TEST(Parse, DefaultsOfAnAlmostEmptyStudy) {
  const StudySpec study = parse(kArm);
  EXPECT_EQ(study.name, "s");
  EXPECT_EQ(study.seeds.count, 5);
  EXPECT_FALSE(study.seeds.crossed);
  EXPECT_FALSE(study.vary.has_value());
  EXPECT_EQ(study.margin, 0.01);
  EXPECT_FALSE(study.detect.has_value());
  EXPECT_EQ(study.save_models, SaveModels::first);
  EXPECT_EQ(study.data.source, "phantom");
  EXPECT_EQ(study.data.size, 256);
  EXPECT_FALSE(study.data.channels.has_value());
  EXPECT_EQ(study.data.phantom.train, 2000U);
  const TrainSpec& train = study.arms.at(0).train;
  EXPECT_EQ(train.model.hidden, (std::vector<int>{64, 64}));
  EXPECT_EQ(train.loss.kind, LossKind::bce_with_logits);
  EXPECT_EQ(train.optimizer.kind, OptimizerKind::adam);
  EXPECT_EQ(train.optimizer.lr, 1e-3);
  EXPECT_EQ(train.schedule.kind, ScheduleKind::constant);
  EXPECT_EQ(train.epochs, 30);
  EXPECT_EQ(train.batch_size, 30);
  EXPECT_FALSE(train.select.has_value());
}

TEST(Parse, EveryKeyOfStudyAndData) {
  const StudySpec study = parse(R"(
[study]
name = "my study"
question = "why?"
description = "free"
seeds = { split = 2, init = 3, order = 4 }
vary = ["order", "init", "split"]
margin = 0
detect = 0.05
save_models = "all"
[data]
source = "../images"
phantom = { train = 100, test = 50, shift = 0, seed = 7 }
size = 64
channels = 3
fit = "crop"
positive = "B"
val_fraction = 0.25
test_fraction = 0.3
val = "draw"
split_by = "group"
group = '(p\d+)'
window = [10, 4000.5]
)" + kArm);
  EXPECT_EQ(study.name, "my study");
  EXPECT_EQ(study.description, "free");
  EXPECT_TRUE(study.seeds.crossed);
  EXPECT_EQ(study.seeds.count, 24);
  EXPECT_EQ(study.seeds.order, 4);
  EXPECT_EQ(study.detect, 0.05);
  EXPECT_EQ(study.save_models, SaveModels::all);
  EXPECT_EQ(study.data.source, "../images");
  EXPECT_EQ(study.data.phantom.shift, 0);
  EXPECT_EQ(study.data.phantom.seed, 7U);
  EXPECT_EQ(study.data.phantom.size, 64);
  EXPECT_EQ(study.data.fit, Fit::crop);
  EXPECT_EQ(study.data.split.val, ValidationFrom::draw);
  EXPECT_EQ(study.data.split.split_by, SplitBy::group);
  EXPECT_EQ(study.data.split.test_fraction, 0.3);
  EXPECT_EQ(study.data.group, "(p\\d+)");
  EXPECT_EQ(study.data.window.kind, WindowKind::fixed);
  EXPECT_EQ(study.data.window.high, 4000.5);
  EXPECT_EQ(study.lines.at("data.positive"), 17);
}

TEST(Parse, SizeStaysUnsetForOtherSources) {
  EXPECT_FALSE(parse("[data]\nsource = 'x'" + kArm).data.size.has_value());
}

TEST(Parse, KindsHaveTheirOwnDefaults) {
  EXPECT_EQ(train_of("optimizer = 'adamw'").optimizer.weight_decay, 0.01);
  EXPECT_EQ(train_of("optimizer = 'sgd'").optimizer.weight_decay, 0);
  EXPECT_EQ(train_of("scheduler = 'exponential'").schedule.gamma, 0.95);
  EXPECT_EQ(train_of("scheduler = 'exponential'").schedule.interval, ScheduleInterval::epoch);
  EXPECT_EQ(train_of("scheduler = 'step'").schedule.gamma, 0.1);
  EXPECT_EQ(train_of("scheduler = 'cosine'").schedule.interval, ScheduleInterval::step);
  const ScheduleSpec cyclic =
      train_of("scheduler = { kind = 'cyclic', base_lr = 1e-4, max_lr = 1e-3, up = 2 }").schedule;
  EXPECT_EQ(cyclic.base_momentum, 0.8);
  EXPECT_EQ(cyclic.max_momentum, 0.9);
  EXPECT_EQ(cyclic.gamma, 1);
  const ScheduleSpec cycle = train_of("scheduler = { kind = 'onecycle', max_lr = 0.01 }").schedule;
  EXPECT_EQ(cycle.kind, ScheduleKind::one_cycle);
  EXPECT_EQ(cycle.base_momentum, 0.85);
  EXPECT_TRUE(cycle.cycle_momentum);
}

TEST(Parse, EverySettingOfTrain) {
  const TrainSpec train = train_of(R"(
model = { kind = "mlp", hidden = [32], activation = "gelu", dropout = 0.25 }
epochs = 12
batch_size = 7
loss = { kind = "bce_with_logits", pos_weight = 2, class_weight = [1, 3] }
optimizer = { kind = "sgd", lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4 }
scheduler = { kind = "multistep", milestones = [3, 7.5], gamma = 0.5, warmup = 1, warmup_start = 0.1 }
threshold = { sensitivity = 0.95 }
early_stopping = { metric = "val_auroc", patience = 3, min_delta = 0.001 }
select = "val_accuracy"
train_eval = true
augment = { shift = 0.05, rotate = 10, scale = 0.1, flip = true, brightness = 0.2, contrast = 0.3, noise = 4 })");
  EXPECT_EQ(train.model.activation, Activation::gelu);
  EXPECT_EQ(train.model.dropout, 0.25);
  EXPECT_EQ(train.loss.pos_weight, 2);
  EXPECT_EQ(train.loss.class_weight, (std::vector<double>{1, 3}));
  EXPECT_TRUE(train.optimizer.nesterov);
  EXPECT_EQ(train.schedule.milestones, (std::vector<double>{3, 7.5}));
  EXPECT_EQ(train.schedule.warmup_epochs, 1);
  EXPECT_EQ(train.threshold.kind, ThresholdKind::sensitivity);
  EXPECT_EQ(train.threshold.value, 0.95);
  ASSERT_TRUE(train.early_stopping.has_value());
  EXPECT_EQ(train.early_stopping->metric, ValidationMetric::auroc);
  EXPECT_EQ(train.select, ValidationMetric::accuracy);
  EXPECT_TRUE(train.train_eval);
  const AugmentSpec& a = train.augment;
  EXPECT_EQ((std::vector<double>{a.shift, a.rotate, a.scale, a.brightness, a.contrast, a.noise}),
            (std::vector<double>{0.05, 10, 0.1, 0.2, 0.3, 4}));
  EXPECT_TRUE(a.flip);
  EXPECT_EQ(train_of("threshold = 'youden'").threshold.kind, ThresholdKind::youden);
  EXPECT_EQ(train_of("threshold = 0.3").threshold.value, 0.3);
}

TEST(Parse, ArmTableWithoutAKindIsMergedWithOneReplaces) {
  const StudySpec study = parse(R"(
[train]
optimizer = { kind = "adamw", lr = 0.01, eps = 1e-6 }
scheduler = { kind = "cosine", eta_min = 1e-5 }
early_stopping = { patience = 4 }
augment = { rotate = 10, flip = true }
[[arm]]
name = "merged"
optimizer = { lr = 0.02 }
scheduler = { warmup = 2 }
augment = { rotate = 5, noise = 3 }
[[arm]]
name = "replaced"
optimizer = { kind = "adamw", lr = 0.02 }
scheduler = "cosine"
early_stopping = false
augment = false
)");
  const TrainSpec& merged = study.arms[0].train;
  EXPECT_EQ(merged.optimizer.lr, 0.02);
  EXPECT_EQ(merged.optimizer.eps, 1e-6);
  EXPECT_EQ(merged.schedule.kind, ScheduleKind::cosine);
  EXPECT_EQ(merged.schedule.eta_min, 1e-5);
  EXPECT_EQ(merged.schedule.warmup_epochs, 2);
  EXPECT_EQ(merged.early_stopping->patience, 4);
  EXPECT_EQ(merged.augment.rotate, 5);
  EXPECT_TRUE(merged.augment.flip);
  EXPECT_EQ(merged.augment.noise, 3);
  const TrainSpec& replaced = study.arms[1].train;
  EXPECT_EQ(replaced.optimizer.eps, 1e-8);
  EXPECT_EQ(replaced.schedule.eta_min, 0);
  EXPECT_FALSE(replaced.early_stopping.has_value());
  EXPECT_FALSE(replaced.augment.any());
  EXPECT_EQ(study.arms[0].own,
            (std::vector<std::string>{"optimizer.lr = 0.02", "scheduler.warmup = 2",
                                      "augment.rotate = 5, augment.noise = 3"}));
  EXPECT_EQ(study.arms[1].own[0], "optimizer = adamw (lr = 0.02)");
}

TEST(Parse, NormalisationOfTrainAndArms) {
  EXPECT_EQ(train_of("").normalisation.kind, NormalisationKind::pixel);
  EXPECT_EQ(train_of("normalisation = 'histogram'").normalisation.kind,
            NormalisationKind::histogram);
  const StudySpec study = parse(R"(
[train]
normalisation = { kind = "clahe", tiles = 4 }
[[arm]]
name = "merged"
normalisation = { clip_limit = 0.5 }
[[arm]]
name = "replaced"
normalisation = "image"
)");
  const NormalisationSpec& merged = study.arms[0].train.normalisation;
  EXPECT_EQ(merged.kind, NormalisationKind::clahe);
  EXPECT_EQ(merged.clip_limit, 0.5);
  EXPECT_EQ(merged.tiles, 4);
  EXPECT_EQ(study.arms[1].train.normalisation.kind, NormalisationKind::image);
  EXPECT_EQ(study.arms[1].own[0], "normalisation = image");
  EXPECT_NE(message_of("[train]\nnormalisation = 'clahee'" + kArm).find("did you mean 'clahe'"),
            std::string::npos);
  EXPECT_NE(
      message_of("[train]\nnormalisation = { kind = 'image', tiles = 4 }" + kArm).find("tiles"),
      std::string::npos);
  EXPECT_NE(message_of("[train]\nnormalization = 'image'" + kArm).find("'normalisation'"),
            std::string::npos);
}

TEST(Parse, GridExpandsToTheProduct) {
  const StudySpec study = parse(
      "[grid]\nbatch_size = [10, 50]\nloss = ['bce', 'cross_entropy']\noptimizer = [{ lr = 0.1 }]");
  ASSERT_EQ(study.arms.size(), 4U);
  EXPECT_EQ(study.arms[0].name, "batch_size=10, loss=bce, optimizer.lr=0.1");
  EXPECT_EQ(study.arms[1].name, "batch_size=10, loss=cross_entropy, optimizer.lr=0.1");
  EXPECT_EQ(study.arms[3].train.batch_size, 50);
  EXPECT_EQ(study.arms[3].train.loss.kind, LossKind::cross_entropy);
  EXPECT_EQ(study.arms[3].train.optimizer.lr, 0.1);
  EXPECT_EQ(study.arms[2].own[0], "batch_size = 50");
}

TEST(Parse, ArmsKeepVaryReportedAndLines) {
  const StudySpec study = parse(
      "[train]\nloss = 'bce'\n[[arm]]\nname = 'x'\nvary = ['order']\nreported = { train_loss = "
      "0.0163, "
      "test_accuracy = 0.785 }\n");
  const ArmSpec& arm = study.arms[0];
  EXPECT_TRUE(arm.vary->order);
  EXPECT_FALSE(arm.vary->split);
  EXPECT_EQ(arm.reported.at("test_accuracy"), 0.785);
  EXPECT_EQ(arm.line, 3);
  EXPECT_EQ(arm.lines.at("vary"), 5);
  EXPECT_EQ(arm.lines.at("loss"), 2);
}

TEST(Parse, SectionsMayBeWrittenAsTables) {
  const StudySpec study = parse(
      "[train.scheduler]\nkind = 'step'\nstep_size = 5\n[[arm]]\nname = 'x'\n[arm.optimizer]\nlr = "
      "0.5\n");
  EXPECT_EQ(study.arms[0].train.schedule.step_epochs, 5);
  EXPECT_EQ(study.arms[0].train.optimizer.lr, 0.5);
}

TEST(Parse, NotesArmsThatAreTheSame) {
  EXPECT_EQ(parse("[[arm]]\nname='a'\n[[arm]]\nname='b'\nbatch_size = 30").notes.size(), 1U);
  EXPECT_TRUE(parse("[[arm]]\nname='a'\n[[arm]]\nname='b'\nbatch_size = 31").notes.empty());
}

// ---- what bad files are told
// ---------------------------------------------------------------------

struct Bad {
  std::string text;
  std::vector<std::string> parts;  // of the message
};

void expect_all(const std::vector<Bad>& cases) {
  for (const Bad& bad : cases) {
    const std::string message = message_of(bad.text);
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 0) << message;
    for (const std::string& part : bad.parts) {
      EXPECT_NE(message.find(part), std::string::npos)
          << "file:\n"
          << bad.text << "\nmessage: " << message << "\nexpected: " << part;
    }
  }
}

TEST(ParseErrors, OtherTextThanUtf8HasARemedy) {
  const std::string latin1 = message_of(
      "[study]\nquestion = 'Gr\xF6\xDF"
      "e'\n" +
      kArm);
  EXPECT_NE(latin1.find("s.toml:2: is not UTF-8"), std::string::npos) << latin1;
  EXPECT_NE(latin1.find("iconv -f windows-1252 -t utf-8 s.toml"), std::string::npos) << latin1;
  EXPECT_NE(message_of("\xFF\xFE[").find("iconv -f utf-16"), std::string::npos);
}

TEST(ParseErrors, UnknownKeysNameLineAndNearest) {
  expect_all({
      {"[train]\n\nepoch = 3" + kArm,
       {"folder/s.toml:3: unknown key 'epoch' in [train]; did you mean 'epochs'?"}},
      {"[study]\nseed = 3" + kArm, {":2: unknown key 'seed' in [study]; did you mean 'seeds'?"}},
      {"[data]\nval_fracton = 0.1" + kArm, {":2:", "did you mean 'val_fraction'?"}},
      {"[data]\nphantom = { tran = 3 }" + kArm,
       {":2: unknown key 'tran' in [data] phantom; did you mean 'train'?"}},
      {"[train]\nmodel = { kind = 'mlp', hiden = [3] }" + kArm,
       {":2: unknown key 'hiden' in [train] model; did you mean 'hidden'?"}},
      {"[train]\nscheduler = { kind = 'exponential', gama = 0.5 }" + kArm,
       {"unknown key 'gama' in [train] scheduler; did you mean 'gamma'?"}},
      {"[[arm]]\nname = 'x'\nbatchsize = 3",
       {":3: unknown key 'batchsize' in [[arm]] 'x'; did you mean 'batch_size'?"}},
      {"[[arm]]\nname = 'x'\nreported = { test_acc = 0.5 }", {":3:", "did you mean 'test_auroc'?"}},
      {"[grid]\nbatch = [3]", {":2: unknown key 'batch' in [grid]"}},
      {"[study]\nseeds = { inits = 3 }" + kArm, {"[study] seeds", "did you mean 'init'?"}},
      {"[train]\nearly_stopping = { patient = 3 }" + kArm, {"did you mean 'patience'?"}},
      {"[train]\nthreshold = { specificity = 0.9 }" + kArm, {"did you mean 'sensitivity'?"}},
      {"[trian]\nepochs = 3" + kArm, {":1: unknown section 'trian'; did you mean 'train'?"}},
      {"[train]\nquux = 3" + kArm, {"unknown key 'quux' in [train]; known: model, epochs"}},
      {"[train]\nscheduler = { kind = 'multistep',\n  milestones = [3],\n  gamm = 1 }" + kArm,
       {"s.toml:"}},
  });
}

TEST(ParseErrors, KeysThatBelongElsewhere) {
  expect_all({
      {"[train]\nlr = 0.1" + kArm,
       {":2: unknown key 'lr' in [train]; it belongs in [train] optimizer"}},
      {"[study]\nbatch_size = 3" + kArm, {"it belongs in [train]"}},
      {"seeds = 3" + kArm, {":1:", "it belongs in [study]"}},
      {"[[arm]]\nname = 'x'\nsave_models = 'all'", {":3:", "save_models belongs in [study]"}},
      {"[train]\nscheduler = { kind = 'cosine', T_max = 3 }" + kArm,
       {"unknown key 'T_max' in [train] scheduler; it is called 'duration' here"}},
      {"[train]\nscheduler = { kind = 'cosine', gamma = 0.9 }" + kArm,
       {":2: [train] scheduler.gamma does not belong to scheduler kind 'cosine'; it belongs to: "
        "step, "
        "multistep, exponential, cyclic"}},
      {"[train]\noptimizer = { kind = 'adam', momentum = 0.9 }" + kArm,
       {"optimizer.momentum does not belong to optimizer kind 'adam'; it belongs to: sgd"}},
      {"[train]\nloss = { kind = 'cross_entropy', pos_weight = 2 }" + kArm,
       {"loss.pos_weight does not belong to loss kind 'cross_entropy'; it belongs to: "
        "bce_with_logits"}},
      {"[train]\nloss = { kind = 'bce', label_smoothing = 0.1 }" + kArm,
       {"it belongs to: cross_entropy"}},
      {"[train]\nscheduler = 'cosine'\n[[arm]]\nname = 'x'\nscheduler = { max_lr = 0.1 }",
       {":5: [[arm]] 'x' scheduler.max_lr does not belong to scheduler kind 'cosine'"}},
      {"[shift]\nx = 1" + kArm, {":2: ", "'x' in [shift]"}},
      {"[shift]\nholdout_fraction = 0" + kArm, {":2: [shift] holdout_fraction = 0", "(0, 0.5]"}},
      {"[shift]\ncontrol = true\n[[arm]]\nname = 'control'\n", {":3: arm 'control' has the name"}},
  });
}

TEST(ParseErrors, ValuesOutOfRange) {
  const auto train = [](const std::string& line) { return "[train]\n" + line + kArm; };
  const auto data = [](const std::string& line) { return "[data]\n" + line + kArm; };
  const auto study = [](const std::string& line) { return "[study]\n" + line + kArm; };
  expect_all({
      {train("batch_size = 0"),
       {"folder/s.toml:2: [train] batch_size = 0: expected a whole number from 1 to 1000000"}},
      {train("epochs = 3.5"), {":2: [train] epochs = 3.5: expected a whole number"}},
      {train("epochs = '3'"), {"[train] epochs = \"3\": expected a whole number"}},
      {train("optimizer = { lr = 0 }"),
       {"[train] optimizer.lr = 0: expected a number in (0, 1000]"}},
      {train("optimizer = { lr = nan }"), {"optimizer.lr = nan"}},
      {train("optimizer = { betas = [0.9, 1.0] }"), {"optimizer.betas = [0.9, 1]"}},
      {train("optimizer = { betas = 0.9 }"), {"an array of two numbers"}},
      {train("optimizer = { eps = inf }"), {"optimizer.eps = inf"}},
      {train("optimizer = 'rmsprop'"), {"expected \"sgd\", \"adam\" or \"adamw\""}},
      {train("optimizer = 'Adam'"), {"did you mean 'adam'?"}},
      {train("model = { dropout = 1 }"), {"model.dropout = 1: expected a number in [0, 1)"}},
      {train("model = { hidden = [64, 0] }"), {"model.hidden = [64, 0]"}},
      {train("model = { hidden = 64 }"), {"an array of whole numbers"}},
      {train("model = { activation = 'rleu' }"), {"did you mean 'relu'?"}},
      {train("model = { kind = 'cnn' }"),
       {"[train] model.kind = \"cnn\"", "this release trains multi-layer perceptrons",
        "bioptic compare takes the predictions of other models"}},
      {train("model = 'resnet18'"), {"this release trains multi-layer perceptrons"}},
      {train("loss = 'mse'"), {"[train] loss = \"mse\": expected \"bce\""}},
      {train("loss = 3"), {"[train] loss = 3: expected a kind, or a table"}},
      {train("loss = { class_weight = [1, -1] }"), {"loss.class_weight"}},
      {train("loss = { class_weight = [1] }"), {"loss.class_weight"}},
      {train("loss = { class_weight = 'balancd' }"), {"loss.class_weight", "\"balanced\""}},
      {train("sampler = 'random'"), {"[train] sampler = \"random\": expected \"shuffle\""}},
      {train("sample_weight = 1"), {"[train] sample_weight = 1: expected true or false"}},
      {train("loss = { pos_weight = 0 }"), {"loss.pos_weight = 0: expected a number above 0"}},
      {train("loss = { kind = 'cross_entropy', label_smoothing = 1 }"), {"label_smoothing"}},
      {train("scheduler = { kind = 'step', step_size = -1 }"), {"scheduler.step_size = -1"}},
      {train("scheduler = { kind = 'multistep', milestones = [5, 3] }"), {"ascending"}},
      {train("scheduler = { kind = 'exponential', gamma = 0 }"), {"a number in (0, 1]"}},
      {train("scheduler = { kind = 'plateau', interval = 'step' }"), {"after every epoch"}},
      {train("scheduler = { warmup_start = 0 }"), {"scheduler.warmup_start"}},
      {train("scheduler = { kind = 'cosine', interval = 'batch' }"), {"\"step\" or \"epoch\""}},
      {train("threshold = 2"), {"[train] threshold = 2", "\"youden\""}},
      {train("threshold = { sensitivity = 0 }"), {"threshold.sensitivity = 0"}},
      {train("threshold = {}"), {"[train] threshold"}},
      {train("early_stopping = true"), {"early_stopping = true"}},
      {train("early_stopping = { patience = 0 }"), {"early_stopping.patience = 0"}},
      {train("augment = true"), {"[train] augment = true: expected false, or a table { shift"}},
      {train("augment = { shift = 0.6 }"), {"augment.shift = 0.6: expected a number in [0, 0.5]"}},
      {train("augment = { rotate = -1 }"), {"augment.rotate = -1: expected a number in [0, 180]"}},
      {train("augment = { scale = 0.51 }"), {"augment.scale = 0.51"}},
      {train("augment = { flip = 1 }"), {"augment.flip = 1: expected true or false"}},
      {train("augment = { brightness = 1.5 }"), {"augment.brightness = 1.5"}},
      {train("augment = { contrast = 2 }"), {"augment.contrast = 2"}},
      {train("augment = { noise = 65 }"), {"augment.noise = 65: expected a number in [0, 64]"}},
      {train("augment = { rotation = 5 }"),
       {"unknown key 'rotation'", "it is called 'rotate' here"}},
      {"[train]\nrotate = 5" + kArm, {"it belongs in [train] augment = { ... }"}},
      {train("select = 'best'"), {"\"last\", \"val_loss\", \"val_accuracy\" or \"val_auroc\""}},
      {train("train_eval = 1"), {"true or false"}},
      {train("epochs = 1979-05-27"), {"a date"}},
      {data("channels = 2"), {"1 (grey) or 3 (RGB)"}},
      {data("size = 0"), {"[data] size = 0"}},
      {data("source = 'phantom'\nsize = 16"), {":3:", "32 to 1024"}},
      {data("source = ''"), {"\"phantom\" or a path"}},
      {data("val_fraction = 1"), {"val_fraction = 1: expected a number in (0, 1)"}},
      {data("window = [9, 3]"), {"window = [9, 3]", "low < high"}},
      {data("window = [0, 70000]"), {"65535"}},
      {data("window = 'auto'"), {"\"percentile\""}},
      {data("group = '(a'"), {"a search expression"}},
      {data("val = 'none'"), {"\"auto\", \"source\" or \"draw\""}},
      {data("split_by = 'patient'"), {"\"image\" or \"group\""}},
      {data("phantom = { shift = 'big' }"), {"[data] phantom.shift = \"big\""}},
      {data("phantom = { train = 0 }"), {"phantom.train = 0"}},
      {data("phantom = 3"), {"a table { train, test, shift, seed }"}},
      {data("fit = 'squeeze'"), {"\"stretch\", \"pad\" or \"crop\""}},
      {study("seeds = 0"), {"[study] seeds = 0: expected a whole number from 1"}},
      {study("seeds = { split = 100, init = 100, order = 100 }"), {"at most 10000 combinations"}},
      {study("seeds = 'many'"), {"{ split, init, order }"}},
      {study("vary = ['splits']"), {"did you mean 'split'?"}},
      {study("vary = ['init', 'init']"), {"names 'init' twice"}},
      {study("vary = 'init'"), {"an array"}},
      {study("margin = 1"), {"margin = 1: expected a number in [0, 1)"}},
      {study("detect = 0"), {"detect = 0"}},
      {study("name = 'a/b'"), {"a name that can be a folder"}},
      {study("name = '..'"), {"a name that can be a folder"}},
      {study("name = ''"), {"a name that can be a folder"}},
      {study("save_models = 'last'"), {"\"none\", \"first\" or \"all\""}},
      {"[[arm]]\nname = 'x'\nreported = { test_accuracy = 72.5 }", {"72.5 % is written 0.725"}},
      {"[[arm]]\nname = 'x'\nreported = 0.7", {"a table such as"}},
      {"[[arm]]\nname = ''", {"name = \"\""}},
      {"[[arm]]\nname = 3", {"name = 3"}},
  });
}

// ---- claims
// --------------------------------------------------------------------------------------

const std::string kTwoArms =
    "[train]\nepochs = 10\n[[arm]]\nname = 'a'\nbatch_size = 10\n[[arm]]\nname = 'b'\nbatch_size = "
    "40\n";

TEST(Parse, EveryKindOfClaim) {
  const StudySpec study = parse(kTwoArms + R"(
[[claim]]
id = "1"
sentence = "One"
kind = "difference"
arms = ["b", "a"]
direction = "lower"
margin = 0.02
[[claim]]
id = "2"
sentence = "Two"
kind = "trend"
setting = "batch_size"
metric = "auroc"
[[claim]]
id = "3"
sentence = "Three"
kind = "order"
arms = ["a", "b"]
value = "noise_level"
burn_in = 2
[[claim]]
id = "4"
sentence = "Four"
kind = "index"
arms = ["a", "b"]
window = [3, 9]
detect = 0.004
[[claim]]
id = "5"
sentence = "Five"
kind = "all_of"
[[claim.part]]
kind = "shape"
shape = "peaks_early"
[[claim.part]]
kind = "gap"
arms = ["a"]
)");
  ASSERT_EQ(study.claims.size(), 5U);
  const ClaimSpec& one = study.claims[0];
  EXPECT_EQ(one.kind, ClaimKind::difference);
  EXPECT_EQ(one.arms, (std::vector<std::string>{"b", "a"}));
  EXPECT_FALSE(one.higher);
  EXPECT_EQ(one.split, "test");
  EXPECT_EQ(one.margin, 0.02);
  EXPECT_EQ(study.claims[1].arms, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(study.claims[1].values, (std::vector<double>{10, 40}));
  EXPECT_EQ(study.claims[2].split, "val");
  EXPECT_EQ(study.claims[2].value, CurveValue::noise_level);
  EXPECT_EQ(study.claims[2].first_epoch, 3);
  EXPECT_EQ(study.claims[3].value, CurveValue::step_spread);
  EXPECT_EQ(study.claims[3].first_epoch, 3);
  EXPECT_EQ(study.claims[3].last_epoch, 9);
  EXPECT_EQ(study.claims[3].detect, 0.004);
  EXPECT_EQ(quantity_words(study.claims[3]),
            "step spread of the validation accuracy (epochs 3 to 9)");
  ASSERT_EQ(study.claims[4].parts.size(), 2U);
  EXPECT_EQ(study.claims[4].parts[0].shape, CurveShape::peaks_early);
  EXPECT_EQ(study.claims[4].parts[0].arms.size(), 2U);
  EXPECT_EQ(study.claims[4].parts[1].kind, ClaimKind::gap);
}

TEST(Parse, ATrendFollowsAnyNumericSetting) {
  const StudySpec study = parse(
      "[[arm]]\nname = 'a'\noptimizer = { lr = 0.1 }\n[[arm]]\nname = 'b'\noptimizer = { lr = 0.01 "
      "}\n[[claim]]\nid = 'x'\nsentence = 'y'\nkind = 'trend'\nsetting = 'optimizer.lr'");
  EXPECT_EQ(study.claims.at(0).values, (std::vector<double>{0.1, 0.01}));
}

TEST(ParseErrors, ClaimsInOneLineEach) {
  const auto claim = [](const std::string& rest) {
    return kTwoArms + "[[claim]]\nid = 'x'\nsentence = 'y'\n" + rest;
  };
  const std::string pair = "kind = 'difference'\narms = ['a', 'b']\n";
  const std::string index = "kind = 'index'\narms = ['a', 'b']\n";
  expect_all({
      {kTwoArms + "[claim]\nid = 'x'", {":9:", "[[claim]], with two brackets"}},
      {"claim = [1]\n" + kTwoArms, {"[[claim]] sections"}},
      {kTwoArms + "[[claim]]\nsentence = 'y'\n" + pair, {":9: [[claim]]: this claim has no id"}},
      {kTwoArms + "[[claim]]\nid = 'x'\n" + pair, {"[[claim]] 'x': no sentence"}},
      {kTwoArms + "[[claim]]\nid = 1\n" + pair, {":10: [[claim]] id = 1: expected text"}},
      {claim("arms = ['a', 'b']"), {"[[claim]] 'x' has no kind", "\"all_of\""}},
      {claim("kind = 'diference'"),
       {":12: [[claim]] 'x' kind = \"diference\"", "did you mean 'difference'?"}},
      {claim(pair + "magrin = 1"),
       {"unknown key 'magrin' in [[claim]] 'x'; did you mean 'margin'?"}},
      {claim(pair + "margin = -1"), {"margin = -1: expected a number of at least 0"}},
      {claim(pair + "detect = 0"), {"detect = 0: expected a number above 0"}},
      {claim(pair + "setting = 'batch_size'"),
       {"setting does not belong to claim kind 'difference'; it belongs to: trend"}},
      {claim(pair + "direction = 'up'"), {"\"higher\" or \"lower\""}},
      {claim(pair + "metric = 'acuracy'"), {"did you mean 'accuracy'?"}},
      {claim(pair + "split = 'testing'"), {"did you mean 'test'?"}},
      {claim(pair + "split = 'train'"), {"set train_eval = true"}},
      {claim(pair + "split = 'train_running'\nmetric = 'auroc'"), {"it has accuracy and loss"}},
      {claim(pair + "burn_in = 2"), {"burn_in and window are for curves"}},
      {claim(pair + "value = 'mean'\nsplit = 'test'"), {"no curve of the test split"}},
      {claim("kind = 'difference'\narms = ['a', 'c']"), {":9: [[claim]] 'x': there is no arm 'c'"}},
      {"[shift]\ncontrol = true\n[[arm]]\nname = 'a'\n[[claim]]\nid = 'x'\nsentence = 'y'\nkind = "
       "'difference'\narms = ['a', 'control']",
       {"there is no arm 'control'"}},
      {claim("kind = 'difference'\narms = ['a', 'a']"), {"names 'a' twice"}},
      {claim("kind = 'difference'\narms = 'a'"), {"an array of names of arms"}},
      {claim("kind = 'difference'\narms = ['a']"), {"needs arms = [\"first\", \"second\"]"}},
      {claim("kind = 'difference'"), {"there are 0"}},
      {claim("kind = 'order'\narms = ['a']"), {"needs two arms or more"}},
      {claim("kind = 'trend'"), {"needs setting"}},
      {claim("kind = 'trend'\nsetting = 'batchsize'"),
       {"no numeric setting 'batchsize'; did you mean 'batch_size'?"}},
      {claim("kind = 'trend'\nsetting = 'epochs'"), {"epochs is 10 in all of its arms"}},
      {claim("kind = 'trend'\nsetting = 'model.dropout'"), {"every value must be above 0"}},
      {claim(index + "index = 'spread'"), {"step_spread"}},
      {claim(index + "burn_in = 8"), {"2 of the 10 epochs of arm 'a' are left; it needs 3"}},
      {claim(index + "window = [2, 11]"),
       {"window ends at epoch 11, but arm 'a' is trained for 10"}},
      {claim(index + "window = [5, 5]"), {"1 <= first < last"}},
      {claim(index + "window = [2, 9]\nburn_in = 1"), {"both burn_in and window"}},
      {claim(index + "metric = 'sensitivity'"), {"val has no sensitivity by epoch"}},
      {claim("kind = 'shape'"), {"needs shape"}},
      {claim("kind = 'shape'\nshape = 'rise'"), {"did you mean 'rises'?"}},
      {claim("kind = 'shape'\nshape = 'rises'\nmargin = 0.5"), {"below 0.5"}},
      {claim("kind = 'gap'\nbecause = 'luck'"), {"\"shift\""}},
      {claim("kind = 'all_of'"), {"needs [[claim.part]] sections"}},
      {claim("kind = 'all_of'\n[[claim.part]]\n" + pair), {"two or more"}},
      {claim("kind = 'all_of'\n[[claim.part]]\n" + pair + "[[claim.part]]\nid = 'z'\n" + pair),
       {"[[claim]] 'x' part 2: a part has no id"}},
      {claim("kind = 'all_of'\n[[claim.part]]\n" + pair + "[[claim.part]]\nkind = 'all_of'"),
       {"part 2: a part cannot be an all_of"}},
      {claim(pair + "[[claim]]\nid = 'x'\nsentence = 'y'\n" + pair),
       {":14:", "another claim has this id (in line 9)"}},
      {"[train]\nloss = { class_weight = [1, 2] }\n[[arm]]\nname = 'a'\n[[arm]]\nname = 'b'\nloss "
       "= "
       "'bce'\n[[claim]]\nid = 'x'\nsentence = 'y'\nmetric = 'loss'\n" +
           pair,
       {"different functions of the predictions"}},
      {"[train]\nloss = { class_weight = 'balanced' }\n[[arm]]\nname = 'a'\n[[arm]]\nname = "
       "'b'\nloss = 'bce'\n[[claim]]\nid = 'x'\nsentence = 'y'\nmetric = 'loss'\n" +
           pair,
       {"different functions of the predictions"}},
      {"[[arm]]\nname = 'a'\n[[arm]]\nname = 'b'\nsampler = 'balanced'\n[[claim]]\nid = "
       "'x'\nsentence = 'y'\nmetric = 'loss'\nvalue = 'mean'\nsplit = 'train_running'\n" +
           pair,
       {"differently drawn or weighted images"}},
  });
}

// Cross-entropy on two outputs and binary cross-entropy are the same function of the probabilities.
TEST(Parse, LossesThatAreOneFunctionMayBeCompared) {
  const StudySpec study = parse(
      "[[arm]]\nname = 'a'\nloss = 'bce'\n[[arm]]\nname = 'b'\nloss = 'ce'\n[[claim]]\nid = "
      "'x'\nsentence = 'y'\nmetric = 'loss'\nkind = 'difference'\narms = ['a', 'b']");
  EXPECT_EQ(study.claims.size(), 1U);
}

TEST(ParseErrors, FilesThatMakeNoStudy) {
  expect_all({
      {"", {"folder/s.toml: the study has no arms"}},
      {"[train]\nepochs = 3", {"the study has no arms"}},
      {"[grid]", {"the study has no arms"}},
      {"arm = []", {"the study has no arms"}},
      {"[arm]\nname = 'x'", {":1:", "[[arm]], with two brackets"}},
      {"arm = [1]", {"[[arm]] sections"}},
      {"[[arm]]\nbatch_size = 3", {":1: this [[arm]] has no name"}},
      {"[[arm]]\nname = 'x'\n\n[[arm]]\nname = 'x'",
       {":4: two arms are named 'x' (the first in line 1)"}},
      {"[grid]\nbatch_size = [10, 10]", {"two arms are named 'batch_size=10'"}},
      {"[grid]\nbatch_size = 10", {"[grid] batch_size = 10: expected an array of values"}},
      {"[grid]\nbatch_size = []", {"an array of values"}},
      {"[grid]\nbatch_size = [10]" + kArm, {"either [[arm]] sections or a [grid]"}},
      {"train = 3" + kArm, {":1: 'train' must be a section"}},
      {"[train\nepochs = 3", {"folder/s.toml:1: not valid TOML"}},
      {"[# train]\nepochs = 3", {"folder/s.toml:1: not valid TOML"}},
      {"[train]\nepochs = 3\nepochs = 4" + kArm, {":3: not valid TOML"}},
      {"[train]\nepochs = \xff" + kArm, {":2: is not UTF-8"}},
      {"[study]\nsave_models = 'all'\n[train]\nsave_models = 'none'" + kArm,
       {":4:", "save_models differs from that of [study] in line 2"}},
  });
  std::string deep = "a";
  for (int i = 0; i < 100000; ++i) deep += ".a";
  EXPECT_NE(message_of(deep + " = 1").find("folder/s.toml:1: more than 100 dots"),
            std::string::npos);
  EXPECT_NE(message_of("a = " + std::string(100000, '[')).find("not valid TOML"),
            std::string::npos);
  EXPECT_THROW(parse_study("no/such/file.toml"), InputError);
  EXPECT_THROW(parse_study_text(kArm, ".toml"), InputError);  // the stem is no folder name
}

TEST(ParseErrors, SettingsThatContradictEachOther) {
  const auto train = [](const std::string& line) { return "[train]\n" + line + kArm; };
  expect_all({
      {train("scheduler = 'one_cycle'"), {":2: arm 'a'", "'one_cycle' needs max_lr"}},
      {train("scheduler = { kind = 'cyclic', max_lr = 1, up = 1 }"), {"needs base_lr"}},
      {train("scheduler = { kind = 'cyclic', base_lr = 1, max_lr = 1 }"), {"needs up"}},
      {train("scheduler = { kind = 'cyclic', base_lr = 1, max_lr = 0.1, up = 1 }"),
       {"above max_lr"}},
      {train("scheduler = { kind = 'cyclic', base_lr = 0.1, max_lr = 1, up = 1, gamma = 0.9 }"),
       {"exp_range"}},
      {train("scheduler = 'multistep'"), {"needs milestones"}},
      {train("epochs = 10\nscheduler = { kind = 'multistep', milestones = [5, 10] }"),
       {":3:", "10 is not before the end of the run"}},
      {train("epochs = 2\nscheduler = { warmup = 2 }"), {":3:", "leaves nothing of 2 epochs"}},
      {train("scheduler = { kind = 'cosine', eta_min = 1 }"), {"eta_min is above"}},
      {train("scheduler = { kind = 'plateau', min_lr = 1 }"), {"min_lr is above"}},
      {train("scheduler = { kind = 'one_cycle', max_lr = 1, base_momentum = 0.99 }"),
       {"base_momentum is above"}},
      {train("scheduler = { kind = 'one_cycle', max_lr = 1, three_phase = true, pct_start = 0.6 }"),
       {"pct_start is above 0.5"}},
      {train("optimizer = { kind = 'sgd', nesterov = true }"), {"nesterov needs momentum"}},
      {train("optimizer = { kind = 'sgd', nesterov = true, momentum = 0.9, dampening = 0.1 }"),
       {"dampening 0"}},
      {"[study]\nvary = []" + kArm, {":2: [study] vary is empty, so all 5 seeds"}},
      {"[study]\nseeds = { split = 2 }\nvary = ['init']" + kArm, {":3:", "leaves out \"split\""}},
      {"[study]\nseeds = { split = 2 }\n[[arm]]\nname = 'x'\nvary = ['init']",
       {":5: [[arm]] 'x' vary leaves out \"split\""}},
  });
  EXPECT_EQ(message_of("[study]\nseeds = 1\nvary = []" + kArm), "(no error)");
  // What [train] lacks, every arm may add.
  EXPECT_EQ(
      message_of(
          "[train]\nscheduler = 'one_cycle'\n[[arm]]\nname = 'x'\nscheduler = { max_lr = 1 }"),
      "(no error)");
}

// ---- shipped studies and settings as text
// --------------------------------------------------------

TEST(ShippedStudies, ParseAsTheyShould) {
  const StudySpec loss = parse_study("studies/loss.toml");
  ASSERT_EQ(loss.arms.size(), 3U);
  EXPECT_EQ(loss.arms[0].name, "bce");
  EXPECT_EQ(loss.arms[2].train.optimizer.lr, 5e-4);
  EXPECT_EQ(loss.arms[0].train.loss.kind, LossKind::bce);
  EXPECT_EQ(loss.arms[1].train.loss.kind, LossKind::cross_entropy);
  const StudySpec batch = parse_study("studies/batch_size.toml");
  ASSERT_EQ(batch.arms.size(), 3U);
  EXPECT_EQ(batch.arms[2].train.batch_size, 100);
  EXPECT_EQ(batch.arms[2].reported.at("test_accuracy"), 0.785);
  EXPECT_EQ(batch.arms[2].reported.at("train_loss"), 0.0163);
  const StudySpec scheduler = parse_study("studies/scheduler.toml");
  ASSERT_EQ(scheduler.arms.size(), 4U);
  EXPECT_EQ(scheduler.arms[1].train.schedule.max_lr, 0.003);
  EXPECT_EQ(scheduler.arms[2].train.schedule.max_lr, 0.01);
  EXPECT_EQ(scheduler.arms[3].train.schedule.gamma, 0.95);
  const StudySpec gap = parse_study("studies/gap.toml");
  ASSERT_EQ(gap.arms.size(), 3U);
  EXPECT_EQ(gap.arms[1].split_by, SplitBy::group);
  EXPECT_TRUE(gap.arms[2].is_control);
  EXPECT_EQ(gap.data.split.holdout_fraction, 0.1);
  const StudySpec variance = parse_study("studies/variance.toml");
  EXPECT_EQ(variance.seeds.order, 4);
  const StudySpec augmentation = parse_study("studies/augmentation.toml");
  ASSERT_EQ(augmentation.arms.size(), 4U);
  EXPECT_FALSE(augmentation.arms[0].train.augment.any());
  EXPECT_EQ(augmentation.arms[3].train.augment.rotate, 10);
  const StudySpec normalisation = parse_study("studies/normalisation.toml");
  ASSERT_EQ(normalisation.arms.size(), 5U);
  EXPECT_EQ(normalisation.arms[3].train.normalisation.kind, NormalisationKind::histogram);
  EXPECT_EQ(normalisation.arms[4].train.normalisation.tiles, 8);
  ASSERT_EQ(normalisation.claims.size(), 4U);
  for (const auto& claim : normalisation.claims) EXPECT_EQ(claim.arms.back(), "pixel");
  for (const StudySpec* study :
       {&loss, &batch, &scheduler, &gap, &variance, &augmentation, &normalisation}) {
    EXPECT_EQ(study->name, study->file.stem().string());
    EXPECT_EQ(study->seeds.count, study == &variance ? 64 : 5);
    EXPECT_EQ(study->data.size, 256);
    EXPECT_EQ(study->data.channels, 1);
    EXPECT_EQ(study->data.positive, "PNEUMONIA");
    EXPECT_EQ(study->data.group, "(person\\d+|IM-\\d+)");
    for (const ArmSpec& arm : study->arms) {
      EXPECT_EQ(arm.train.epochs, 30);
      EXPECT_EQ(arm.train.optimizer.lr, arm.name == "ce-half-lr" ? 5e-4 : 1e-3);
      EXPECT_EQ(arm.train.model.hidden, (std::vector<int>{64, 64}));
      if (study != &scheduler) {
        EXPECT_EQ(arm.train.schedule.kind, ScheduleKind::cosine);
      }
      if (study != &batch) {
        EXPECT_EQ(arm.train.batch_size, 30);
      }
    }
  }
}

TEST(ShippedStudies, DeclareTheReportsStatements) {
  std::string ids;
  for (const char* name : {"loss", "batch_size", "scheduler", "gap"}) {
    const StudySpec study = parse_study(std::string("studies/") + name + ".toml");
    for (const ClaimSpec& claim : study.claims) ids += claim.id + " ";
  }
  EXPECT_EQ(ids, "A1 B1 B2 B3 B4 C1 C2 C3 C4 C5 D1 ");
}

TEST(Settings, TomlReadsBackToTheSameSettings) {
  std::vector<std::string> sections;
  for (const char* kind : {"constant", "step", "exponential", "linear", "polynomial", "cosine",
                           "cosine_restarts", "plateau"}) {
    sections.push_back(std::string("scheduler = '") + kind + "'");
  }
  sections.insert(
      sections.end(),
      {"scheduler = { kind = 'multistep', milestones = [1, 2.5], warmup = 0.5 }",
       "scheduler = { kind = 'one_cycle', max_lr = 0.3, three_phase = true, duration = 7 }",
       "scheduler = { kind = 'cyclic', base_lr = 0.1, max_lr = 0.3, up = 2, down = 1, mode = "
       "'exp_range', gamma = 0.99 }",
       "optimizer = { kind = 'sgd', momentum = 0.9, nesterov = true }",
       "optimizer = { kind = 'adamw', betas = [0.8, 0.9], eps = 1e-7 }",
       "loss = { kind = 'cross_entropy', label_smoothing = 0.1, class_weight = [0.1, 0.3] }",
       "loss = { kind = 'bce_with_logits', pos_weight = 0.7 }", "threshold = 'youden'",
       "loss = { kind = 'bce', class_weight = 'balanced' }", "sampler = 'balanced'",
       "sample_weight = true", "threshold = { sensitivity = 0.9 }",
       "early_stopping = { metric = 'val_accuracy' }",
       "augment = { shift = 0.1, flip = true, noise = 2.5 }", "select = 'val_loss'",
       "train_eval = true", "model = { hidden = [], activation = 'tanh' }"});
  for (const std::string& section : sections) {
    const std::string text = train_toml(train_of(section));
    EXPECT_EQ(train_toml(train_of(text)), text) << section;
    EXPECT_NE(text, section == sections[0] ? "" : train_toml(TrainSpec{})) << section;
  }
}

TEST(Settings, TextIsOrderedAndPlain) {
  const auto settings = settings_text(train_of("scheduler = { kind = 'cosine', warmup = 2 }"));
  ASSERT_GE(settings.size(), 8U);
  EXPECT_EQ(settings[0].first, "model");
  EXPECT_EQ(settings[0].second, "mlp (hidden = [64, 64], activation = relu, dropout = 0)");
  EXPECT_EQ(settings[5].second,
            "cosine (interval = step, warmup = 2, warmup_start = 0.01, eta_min = 0)");
  EXPECT_EQ(settings[6], (std::pair<std::string, std::string>{"normalisation", "pixel"}));
  EXPECT_EQ(settings[7], (std::pair<std::string, std::string>{"threshold", "0.5"}));
}

TEST(Settings, SeedsInWords) {
  EXPECT_EQ(seeds_text(parse(kArm), false), "5 seeds; each changes split, init and order");
  EXPECT_EQ(seeds_text(parse(kArm), true), "5 seeds; each changes init and order");
  EXPECT_EQ(seeds_text(parse("[study]\nseeds = { split = 2, init = 3 }" + kArm), false),
            "2 x 3 x 1 = 6 combinations of split, init and order");
}

TEST(Settings, VaryWritesArms) {
  const StudySpec study = parse(vary_arms_toml({"batch_size=10, 50", "optimizer.lr=1e-3,1e-2"}));
  ASSERT_EQ(study.arms.size(), 4U);
  EXPECT_EQ(study.arms[0].name, "batch_size=10, optimizer.lr=0.001");
  EXPECT_EQ(study.arms[3].train.optimizer.lr, 0.01);
  EXPECT_EQ(parse(vary_arms_toml({"loss=bce,cross_entropy"})).arms[1].train.loss.kind,
            LossKind::cross_entropy);
  EXPECT_EQ(parse(vary_arms_toml({"model.hidden=[64],[32,32]"})).arms[1].train.model.hidden.size(),
            2U);
  const auto message = [](const std::string& option) {
    try {
      vary_arms_toml({option});
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message("batchsize=1,2").find("did you mean 'batch_size'?"), std::string::npos);
  EXPECT_NE(message("batch_size").find("key=value"), std::string::npos);
  EXPECT_NE(message("batch_size=1,,2").find("a value is missing"), std::string::npos);
  EXPECT_NE(message("batch_size=0").find("expected a whole number"), std::string::npos);
}

}  // namespace
}  // namespace bioptic
