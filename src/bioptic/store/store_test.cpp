#include "bioptic/store/store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"

namespace bioptic {
namespace {

namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(out_); }
  void TearDown() override { fs::remove_all(out_); }
  fs::path out_ =
      fs::temp_directory_path() / temporary_beside("store" + std::to_string(::getpid())).filename();
};

TrialResult result() {
  TrialResult r;
  r.status = TrialStatus::done;
  r.steps = 12;
  r.selected_epoch = 2;
  r.threshold = 0.1 + 0.2;
  r.train_loss = 1.0 / 3;
  r.train_accuracy = 5e-324;  // the smallest double
  r.val_loss = std::numeric_limits<double>::quiet_NaN();
  r.val_accuracy = std::numeric_limits<double>::infinity();
  r.test_loss = 1.7976931348623157e308;
  r.test_accuracy = 0.735;
  r.weights_sha256 = std::string(64, 'a');
  r.wall_seconds = 1.25;
  r.history.push_back({1, 6, 1e-3, 0.7, 0.5, 0.6, 0.5, std::nan(""), std::nullopt, std::nullopt});
  r.history.push_back({2, 12, 1e-300, 0.6, 0.5, 0.5, 0.5, 0.75, 0.25, 0.125});
  r.predictions.push_back({"val", {3, 1}, {0.5F, std::nanf("")}});
  r.predictions.push_back({"test", {0, 4294967295U, 2}, {-1e-45F, 3e38F, -0.0F}});
  return r;
}

TEST_F(StoreTest, KeepsEveryBitOfATrial) {
  const TrialResult in = result();
  {
    Store store = Store::open_to_write(out_);
    store.save_trial("id", {"{}", "avx2", "{\"bioptic\":\"1\"}", 3}, in);
  }
  const Store store = Store::open_to_read(out_);
  const std::optional<TrialResult> out = store.trial("id");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->status, TrialStatus::done);
  EXPECT_EQ(out->steps, 12);
  EXPECT_EQ(out->selected_epoch, 2);
  EXPECT_EQ(out->threshold, in.threshold);
  EXPECT_EQ(out->train_loss, in.train_loss);
  EXPECT_EQ(out->train_accuracy, in.train_accuracy);
  EXPECT_TRUE(std::isnan(out->val_loss));
  EXPECT_EQ(out->val_accuracy, in.val_accuracy);
  EXPECT_EQ(out->test_loss, in.test_loss);
  EXPECT_EQ(out->weights_sha256, in.weights_sha256);
  ASSERT_EQ(out->history.size(), 2U);
  EXPECT_TRUE(std::isnan(out->history[0].val_auroc));
  EXPECT_FALSE(out->history[0].train_eval_loss);
  EXPECT_EQ(out->history[1].lr, 1e-300);
  EXPECT_EQ(out->history[1].train_eval_accuracy, 0.125);
  ASSERT_EQ(out->predictions.size(), 2U);
  EXPECT_EQ(out->predictions[0].split, "val");
  for (std::size_t s = 0; s < 2; ++s) {
    EXPECT_EQ(out->predictions[s].rows, in.predictions[s].rows);
    ASSERT_EQ(out->predictions[s].logits.size(), in.predictions[s].logits.size());
    for (std::size_t i = 0; i < in.predictions[s].logits.size(); ++i) {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(out->predictions[s].logits[i]),
                std::bit_cast<std::uint32_t>(in.predictions[s].logits[i]));
    }
  }
  EXPECT_TRUE(store.trial("id", false)->predictions.empty());
  EXPECT_EQ(store.origin("id")->isa, "avx2");
  EXPECT_EQ(store.origin("id")->threads, 3);
  EXPECT_FALSE(store.trial("other"));
  EXPECT_FALSE(store.status("other"));
}

TEST_F(StoreTest, FailedTrialsMayBeReplacedFinishedOnesNot) {
  Store store = Store::open_to_write(out_);
  TrialResult failed;
  failed.status = TrialStatus::failed;
  failed.error = "no room";
  store.save_trial("id", {"{}", "", "{}", 1}, failed);
  EXPECT_EQ(store.trial("id")->error, "no room");
  store.save_trial("id", {"{}", "", "{}", 1}, result());
  EXPECT_EQ(store.status("id"), TrialStatus::done);
  TrialResult other = result();
  other.test_accuracy = 0.1;
  EXPECT_THROW(store.save_trial("id", {"{}", "", "{}", 1}, other), Failure);
  EXPECT_EQ(store.trial("id")->test_accuracy, 0.735);
}

TEST_F(StoreTest, ATrialThatCannotBeWrittenWholeIsNotThereAtAll) {
  Store store = Store::open_to_write(out_);
  TrialResult twice = result();
  twice.predictions.push_back(twice.predictions[0]);  // the same split again: refused by its key
  EXPECT_THROW(store.save_trial("id", {"{}", "", "{}", 1}, twice), Failure);
  EXPECT_FALSE(store.status("id"));
  store.save_trial("id", {"{}", "", "{}", 1}, result());
  EXPECT_EQ(store.trial("id")->history.size(), 2U);
}

TEST_F(StoreTest, StudiesPointToTrialsAndMayPointToOthersLater) {
  Store store = Store::open_to_write(out_);
  StoredStudy study;
  study.name = "s";
  study.dataset_hash = "one";
  store.save_study(study, 1,
                   [](std::size_t) {
                     return StoredImage{"000000", "a.png", "train", "g", 1};
                   },
                   {{"arm", 2, {2, 0, 1ULL << 63}, "id"}});
  std::vector<StoredImage> images;
  store.each_image("s", [&](const StoredImage& image) { images.push_back(image); });
  EXPECT_EQ(images.at(0).group, "g");
  EXPECT_EQ(store.places("s").at(0).seeds.order, 1ULL << 63);
  store.save_trial("id", {"{}", "", "{}", 1}, result());
  study.dataset_hash = "two";
  store.save_study(study, 0, {}, {});
  EXPECT_EQ(store.study("s")->dataset_hash, "two");
  EXPECT_TRUE(store.places("s").empty());
  EXPECT_TRUE(store.status("id"));
  EXPECT_EQ(store.studies().size(), 1U);
}

TEST_F(StoreTest, ReadsWhileAnotherWrites) {
  Store writer = Store::open_to_write(out_);
  const Store reader = Store::open_to_read(out_);
  writer.set_running({"id", 7, 3, 30});
  ASSERT_EQ(reader.running().size(), 1U);
  EXPECT_EQ(reader.running()[0].epoch, 3);
  writer.save_trial("id", {"{}", "", "{}", 1}, result());
  EXPECT_TRUE(reader.running().empty());  // with the trial's own transaction
  EXPECT_TRUE(reader.status("id"));
}

TEST_F(StoreTest, AFolderCalledLikeAUriIsAFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(out_);
  for (const char* name : {"file:x", "file:x?mode=memory", "a#b?c%20d"}) {
    fs::create_directories(name);
    Store::open_to_write(name);
    EXPECT_TRUE(fs::exists(fs::path(name) / "bioptic.sqlite")) << name;
    Store::open_to_read(name);
  }
  fs::current_path(before);
}

TEST_F(StoreTest, RefusesWhatIsNoStore) {
  EXPECT_THROW(Store::open_to_read(out_), InputError);
  std::ofstream(out_ / "bioptic.sqlite") << "no database at all, but long enough to look like one";
  EXPECT_THROW(Store::open_to_read(out_), InputError);
  EXPECT_THROW(Store::open_to_write(out_), InputError);
}

TEST_F(StoreTest, OneWriterAtATime) {
  EXPECT_EQ(WriterLock::holder(out_), 0);
  {
    const WriterLock lock(out_);
    EXPECT_EQ(WriterLock::holder(out_), ::getpid());
    EXPECT_THROW(WriterLock again(out_), InputError);
    EXPECT_THROW(WriterLock::require_free(out_), InputError);
  }
  EXPECT_EQ(WriterLock::holder(out_), 0);
  const WriterLock lock(out_);  // free again
}

TEST_F(StoreTest, LockOfAKilledProcessIsFree) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const WriterLock lock(out_);
    [[maybe_unused]] const auto n = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(WriterLock::holder(out_), child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(WriterLock::holder(out_), 0);
  const WriterLock lock(out_);
}

}  // namespace
}  // namespace bioptic
