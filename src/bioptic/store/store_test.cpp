#include "bioptic/store/store.h"

#include <SQLiteCpp/SQLiteCpp.h>
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

// A store of one study and one trial, to be spoilt by statements.
class SpoiltStore : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    Store store = Store::open_to_write(out_);
    StoredStudy study;
    study.name = "s";
    const auto image = [](std::size_t row) {
      return StoredImage{std::to_string(row), "a.png", "test", "g", 1};
    };
    store.save_study(study, 2, image, {{"arm", 2, {2, 0, 1}, "id"}});
    store.save_trial("id", {"{}", "avx2", "{}", 1}, result());
  }
  // As damage to the file would, without the triggers.
  void spoil(const std::string& statement) const {
    SQLite::Database db((out_ / "bioptic.sqlite").string(), SQLite::OPEN_READWRITE);
    db.exec("DROP TRIGGER IF EXISTS replaced_study; DROP TRIGGER IF EXISTS removed_trial");
    ASSERT_GT(db.exec(statement), 0) << statement;
  }
  // Everything that a report reads; what it says of damage, "" where nothing is found.
  std::string read_all() const {
    try {
      const Store store = Store::open_to_read(out_);
      for (const StoredStudy& study : store.studies()) {
        store.each_image(study.name, [](const StoredImage&) {});
        for (const StoredPlace& place : store.places(study.name)) {
          store.trial(place.trial_id);
          store.origin(place.trial_id);
        }
      }
    } catch (const Failure& e) {
      return e.what();
    }
    return "";
  }
};

TEST_F(SpoiltStore, EveryChangedOrLostRowIsNoticed) {
  const std::pair<const char*, const char*> cases[] = {
      {"UPDATE trials SET test_accuracy = 0.73500001", "trial id"},
      {"UPDATE trials SET spec = '[]'", "trial id"},
      {"UPDATE trials SET threads = 2", "trial id"},
      {"UPDATE trials SET status = 'dine'", "trial id"},
      {"UPDATE trials SET val_loss = 0", "trial id"},
      {"UPDATE trials SET id = 'ie'", "trial id"},
      {"DELETE FROM trials", "trial id"},
      {"UPDATE history SET val_accuracy = 0.51 WHERE epoch = 1", "trial id"},
      {"DELETE FROM history WHERE epoch = 2", "trial id"},
      {"UPDATE history SET trial_id = 'ie' WHERE epoch = 2", "trial id"},
      {"UPDATE predictions SET logits = x'0000003f' WHERE split = 'val'",
       "predictions of trial id"},
      {"UPDATE predictions SET split = 'tesu' WHERE split = 'test'", "predictions of trial id"},
      {"DELETE FROM predictions WHERE split = 'val'", "predictions of trial id"},
      {"UPDATE study_images SET label = 0 WHERE row = 1", "images of study s"},
      {"DELETE FROM study_images WHERE row = 1", "images of study s"},
      {"UPDATE study_trials SET arm = 'arn'", "list of trials of study s"},
      {"UPDATE study_trials SET seed = 3", "list of trials of study s"},
      {"UPDATE studies SET positive = 0", "study s"},
      {"UPDATE studies SET name = 't'", "study"},
      {"DELETE FROM studies", "study s"},
      {"UPDATE checksums SET sha256 = 'x' WHERE part = 'trial'", "trial id"}};
  const std::string before = read_file(out_ / "bioptic.sqlite");
  EXPECT_EQ(read_all(), "");
  for (const auto& [statement, named] : cases) {
    spoil(statement);
    const std::string said = read_all();
    EXPECT_NE(said.find(named), std::string::npos) << statement << ": " << said;
    EXPECT_NE(said.find("is damaged: it has"), std::string::npos) << statement << ": " << said;
    write_file(out_ / "bioptic.sqlite", before);
  }
}

TEST_F(SpoiltStore, RowsOfAnOlderProgramHaveNoChecksumAndAreRead) {
  {  // what it does with a store of this one
    SQLite::Database db((out_ / "bioptic.sqlite").string(), SQLite::OPEN_READWRITE);
    db.exec(
        "UPDATE studies SET notes = 'again'; DELETE FROM study_images WHERE study = 's' AND row = "
        "1; UPDATE trials SET status = 'failed'; DELETE FROM history; DELETE FROM predictions; "
        "DELETE FROM trials WHERE status = 'failed'; INSERT INTO trials (id, spec, status, error) "
        "VALUES ('id', '{}', 'done', '')");
  }
  EXPECT_EQ(read_all(), "");
  {  // a store without the table
    SQLite::Database db((out_ / "bioptic.sqlite").string(), SQLite::OPEN_READWRITE);
    db.exec(
        "DROP TRIGGER replaced_study; DROP TRIGGER removed_trial; DROP TABLE checksums; "
        "PRAGMA wal_checkpoint(TRUNCATE)");
  }
  const std::string before = read_file(out_ / "bioptic.sqlite");
  EXPECT_EQ(read_all(), "");
  EXPECT_TRUE(read_file(out_ / "bioptic.sqlite") == before);
  Store::open_to_write(out_).save_trial("new", {"{}", "", "{}", 1}, result());
  spoil("UPDATE trials SET steps = 13 WHERE id = 'new'");
  EXPECT_THROW(Store::open_to_read(out_).trial("new"), Failure);
}

TEST_F(SpoiltStore, NamesThatNoStudyFileCouldGiveAreRefused) {
  for (const char* name : {"../../evil", "/tmp/evil", "..", "a\nb", ""}) {
    {
      SQLite::Database db((out_ / "bioptic.sqlite").string(), SQLite::OPEN_READWRITE);
      SQLite::Statement rename(db, "UPDATE studies SET name = ?");
      rename.bind(1, name);
      rename.exec();  // the trigger takes the checksum
    }
    EXPECT_NE(read_all().find("cannot be a folder's name"), std::string::npos) << name;
  }
}

TEST_F(StoreTest, AStoreThatIsRemovedWhileItIsWrittenIsNoticed) {
  Store store = Store::open_to_write(out_);
  store.save_trial("id", {"{}", "", "{}", 1}, result());
  store.require_in_place();
  fs::remove_all(out_);
  EXPECT_THROW(store.require_in_place(), Failure);
  EXPECT_THROW(store.save_trial("other", {"{}", "", "{}", 1}, result()), Failure);
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
