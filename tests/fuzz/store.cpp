// What a store holds as text and bytes: a study with one trial whose columns are the input's parts,
// divided by kEnd: the dataset's JSON, the environment's JSON, the study file, the notes, and the
// rows and logits of the predictions.
#include "bioptic/store/store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>

#include "bioptic/study/summarise.h"
#include "fuzz_file.h"

namespace {

constexpr std::string_view kEnd = "\n====\n";
constexpr int kImages = 6;

// One study, "s", of one arm, "a", with one trial, "t".
class StoreToSpoil {
 public:
  explicit StoreToSpoil(const std::filesystem::path& out) {
    std::filesystem::remove_all(out);
    std::filesystem::create_directories(out);
    {
      bioptic::Store store = bioptic::Store::open_to_write(out);
      bioptic::StoredStudy study;
      study.name = "s";
      const auto image = [](std::size_t i) {
        return bioptic::StoredImage{std::to_string(i), "x", i < 3 ? "test" : "val",
                                    i < 5 ? "g" : "h", static_cast<std::int64_t>(i % 2)};
      };
      store.save_study(study, kImages, image, {{"a", 0, {}, "t"}});
      bioptic::TrialResult result;
      result.history.push_back({1, 6, 1e-3, 0.7, 0.5, 0.6, 0.5, 0.5, 0.25, 0.125});
      result.predictions.push_back({"test", {0, 1, 2}, {0.5F, -0.5F, 0.25F}});
      store.save_trial("t", {}, result);
    }
    db_ = std::make_unique<SQLite::Database>((out / "bioptic.sqlite").string(),
                                             SQLite::OPEN_READWRITE);
    db_->exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    store_ = std::make_unique<bioptic::Store>(bioptic::Store::open_to_read(out));
  }
  void set(const char* column, std::string_view value) {
    SQLite::Statement statement(*db_, std::string("UPDATE ") + column + " = ?");
    statement.bind(1, std::string(value));
    statement.exec();
  }
  const bioptic::Store& store() const { return *store_; }

 private:
  std::unique_ptr<SQLite::Database> db_;
  std::unique_ptr<bioptic::Store> store_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static StoreToSpoil& spoiled =
      *new StoreToSpoil(std::filesystem::temp_directory_path() /
                        ("bioptic-fuzz-store-" + std::to_string(::getpid())));
  std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const char* column :
       {"studies SET dataset_info", "trials SET environment", "studies SET toml",
        "studies SET notes", "predictions SET rows", "predictions SET logits"}) {
    const std::size_t end = input.find(kEnd);
    spoiled.set(column, input.substr(0, end));
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + kEnd.size());
  }
  return bioptic::fuzz([&] { bioptic::summarise(spoiled.store(), "s"); });
}
