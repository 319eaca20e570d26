#include "bioptic/store/store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/names.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/store/row_checksum.h"
#include "bioptic/store/schema.h"

namespace bioptic {
namespace fs = std::filesystem;

struct Store::State {
  // Where the store lies on a medium that cannot be written, a copy with its log; else empty.
  std::unique_ptr<TemporaryFolder> copy;
  SQLite::Database db;
  fs::path file;  // as a person knows it
  bool has_checksums = false;
  dev_t device = 0;  // of the file that was opened to write
  ino_t inode = 0;

  // SQLite's reasons (disk full, damaged file) name no file.
  [[noreturn]] void fail(const SQLite::Exception& e) const {
    throw Failure(file.string() + ": " + e.what());
  }
  [[noreturn]] void fail_damaged(Part part, const std::string& id, std::string_view why) const {
    throw Failure(fmt::format(
        "{}: the record of {} {} is damaged: {}. Put a copy of the file in its place; without one, "
        "bioptic check {} tells what is whole, and a run with another --out trains again",
        file.string(), queries_of(part).words, id, why, file.parent_path().string()));
  }
  std::optional<std::string> checksum(Part part, const std::string& id) {
    if (!has_checksums) return std::nullopt;
    SQLite::Statement query(db, "SELECT sha256 FROM checksums WHERE part = ? AND id = ?");
    query.bind(1, queries_of(part).name);
    query.bind(2, id);
    if (!query.executeStep()) return std::nullopt;
    return query.getColumn(0).getString();
  }
  // Holds what was read against the checksum, where there is one.
  void require(Part part, const std::string& id, RowHash& hash) {
    const std::optional<std::string> stored = checksum(part, id);
    if (stored && *stored != hash.hex()) {
      fail_damaged(part, id, "it has not the SHA-256 that was stored with it");
    }
  }
  // That there is no row is no damage.
  void require_never_written(Part part, const std::string& id) {
    if (checksum(part, id)) fail_damaged(part, id, "it has a SHA-256 and is not there");
  }
  void store_checksum(Part part, const std::string& id) {
    SQLite::Statement insert(db, "INSERT OR REPLACE INTO checksums VALUES (?,?,?)");
    insert.bind(1, queries_of(part).name);
    insert.bind(2, id);
    insert.bind(3, checksum_of(db, part, id));
    insert.exec();
  }
  void require_in_place() const {
    struct stat now {};
    if (::stat(file.c_str(), &now) == 0 && now.st_dev == device && now.st_ino == inode) return;
    throw Failure(file.string() +
                  ": was removed or replaced while it was written; what was trained since is lost");
  }
};

namespace {

constexpr int kBusyMilliseconds = 10'000;

// The store's file as SQLite is to open it.  Debian's SQLite takes a name that begins with "file:"
// for a URI and ends it at "?" or "#"; behind "./" it is a path.
std::string path_for_sqlite(const fs::path& file) {
  const std::string name = file.string();
  return name.starts_with("file:") ? "./" + name : name;
}

// SQLite stores NaN as NULL anyway; said so here.
void bind_real(SQLite::Statement& statement, int index, double value) {
  if (std::isnan(value)) {
    statement.bind(index);
  } else {
    statement.bind(index, value);
  }
}
void bind_real(SQLite::Statement& statement, int index, const std::optional<double>& value) {
  bind_real(statement, index, value.value_or(std::numeric_limits<double>::quiet_NaN()));
}
double real(const SQLite::Column& column) {
  return column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
}
std::optional<double> optional_real(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getDouble();
}

template <typename T>
std::vector<T> blob(const SQLite::Column& column) {
  std::vector<T> values(static_cast<std::size_t>(column.getBytes()) / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), column.getBlob(), values.size() * sizeof(T));
  return values;
}

int schema_version(SQLite::Database& db) { return db.execAndGet("PRAGMA user_version").getInt(); }

void check_version(SQLite::Database& db, const fs::path& file) {
  if (schema_version(db) > static_cast<int>(kMigrations.size())) {
    throw InputError(file.string() + ": was written by a newer version of bioptic; update it");
  }
}

// Rolled back unless it was committed.  Not SQLite::Transaction, whose destructor throws where
// memory gives out.
class Transaction {
 public:
  explicit Transaction(SQLite::Database& db) : db_(db) { db_.exec("BEGIN"); }
  ~Transaction() {
    if (!committed_) ::sqlite3_exec(db_.getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit() {
    db_.exec("COMMIT");
    committed_ = true;
  }

 private:
  SQLite::Database& db_;
  bool committed_ = false;
};

void migrate(SQLite::Database& db) {
  for (auto version = static_cast<std::size_t>(schema_version(db)); version < kMigrations.size();
       ++version) {
    Transaction transaction(db);
    db.exec(kMigrations[version]);
    db.exec(fmt::format("PRAGMA user_version = {}", version + 1));
    transaction.commit();
  }
}

StoredStudy read_study(SQLite::Statement& row) {
  StoredStudy s;
  s.name = row.getColumn("name").getString();
  s.file = row.getColumn("file").getString();
  s.toml = row.getColumn("toml").getString();
  s.command = row.getColumn("command").getString();
  s.engine = row.getColumn("engine").getString();
  s.dataset_path = row.getColumn("dataset_path").getString();
  s.dataset_hash = row.getColumn("dataset_hash").getString();
  s.dataset_info = row.getColumn("dataset_info").getString();
  s.notes = row.getColumn("notes").getString();
  s.groups_from = row.getColumn("groups_from").getString();
  s.positive = row.getColumn("positive").getInt();
  s.threads = row.getColumn("threads").getInt();
  return s;
}

// Empty for what is no status.
std::optional<TrialStatus> parse_status(const std::string& text) {
  for (const TrialStatus status :
       {TrialStatus::done, TrialStatus::collapsed, TrialStatus::failed}) {
    if (text == name_of(status)) return status;
  }
  return std::nullopt;
}

// Reads of several statements see one state of the database, whatever another process commits.
class Snapshot {
 public:
  explicit Snapshot(SQLite::Database& db) : db_(db) {
    if (sqlite3_get_autocommit(db.getHandle()) == 0) return;  // within another one
    db_.exec("BEGIN");
    begun_ = true;
  }
  ~Snapshot() {
    if (begun_) db_.tryExec("COMMIT");
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  SQLite::Database& db_;
  bool begun_ = false;
};

SQLite::Statement ask(SQLite::Database& db, Part part, std::size_t query, const std::string& id) {
  SQLite::Statement statement(db, queries_of(part).queries.at(query));
  statement.bind(1, id);
  return statement;
}

// Looks at lengths of cells before it reads them.
void be_careful(SQLite::Database& db) {
  db.exec("PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF");
}

bool has_checksums(SQLite::Database& db) { return db.tableExists("checksums"); }

// A file name as SQLite's URIs have it.
std::string uri_of(const fs::path& file) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.' ||
                       c == '_' || c == '-';
    uri += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return uri;
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open_to_write(const fs::path& out) {
  const fs::path file = out / "bioptic.sqlite";
  try {
    auto state = std::make_unique<State>(
        State{nullptr,
              SQLite::Database(path_for_sqlite(file), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                               kBusyMilliseconds),
              file});
    check_version(state->db, file);
    be_careful(state->db);
    // A committed trial survives a power cut; readers (bioptic status) do not wait for the writer.
    state->db.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    migrate(state->db);
    state->db.exec(kAdditions);
    state->has_checksums = true;
    struct stat opened {};
    if (::stat(file.c_str(), &opened) != 0) {
      throw InputError(file.string() + ": cannot be used as a store: " + std::strerror(errno));
    }
    state->device = opened.st_dev;
    state->inode = opened.st_ino;
    return Store(std::move(state));
  } catch (const SQLite::Exception& e) {
    throw InputError(file.string() + ": cannot be used as a store: " + e.what());
  }
}

namespace {

// Throws SQLite's error where the folder would have to be written for it.
Store::State open_as_it_is(const fs::path& file) {
  // Not read-only: a store whose writer was killed needs its log replayed.
  Store::State state{
      nullptr, SQLite::Database(path_for_sqlite(file), SQLite::OPEN_READWRITE, kBusyMilliseconds),
      file};
  schema_version(state.db);
  return state;
}

// A store whose folder cannot be written: nobody else writes it either.
Store::State open_unwritable(const fs::path& file) {
  const fs::path log = file.string() + "-wal";
  std::error_code none;
  if (const auto size = fs::file_size(log, none); none || size == 0) {
    return {nullptr,
            SQLite::Database(uri_of(file) + "?immutable=1",
                             SQLite::OPEN_READONLY | SQLite::OPEN_URI, kBusyMilliseconds),
            file};
  }
  // SQLite would replay the log in place.
  auto copy = std::make_unique<TemporaryFolder>(temporary_root() / "store");
  const fs::path there = copy->path() / file.filename();
  fs::copy_file(file, there);
  fs::copy_file(log, there.string() + "-wal");
  fs::permissions(there, fs::perms::owner_read | fs::perms::owner_write);
  SQLite::Database db(path_for_sqlite(there), SQLite::OPEN_READWRITE, kBusyMilliseconds);
  return {std::move(copy), std::move(db), file};
}

Store::State open_readable(const fs::path& file) {
  try {
    return open_as_it_is(file);
  } catch (const SQLite::Exception& e) {
    const int kind = e.getErrorCode() & 0xff;  // without SQLite's extension
    const bool unwritable = ::access(file.parent_path().c_str(), W_OK) != 0;
    if (!unwritable || (kind != SQLITE_CANTOPEN && kind != SQLITE_READONLY)) throw;
  }
  return open_unwritable(file);
}

}  // namespace

Store Store::open_to_read(const fs::path& out) {
  const fs::path file = out / "bioptic.sqlite";
  if (!fs::exists(file)) {
    throw InputError(out.string() +
                     ": holds no runs (no bioptic.sqlite); give the --out folder of "
                     "bioptic run");
  }
  std::optional<Store> store = open_if_there(out);
  if (!store) {  // a run that began this moment, or a killed one
    throw InputError(file.string() + ": holds no runs yet; start bioptic run again");
  }
  return std::move(*store);
}

std::optional<Store> Store::open_if_there(const fs::path& out) {
  const fs::path file = (out.empty() ? fs::path(".") : out) / "bioptic.sqlite";
  if (std::error_code none; fs::file_size(file, none) == 0 || none) return std::nullopt;
  try {
    auto state = std::make_unique<State>(open_readable(file));
    check_version(state->db, file);
    be_careful(state->db);
    if (schema_version(state->db) == 0) return std::nullopt;
    state->has_checksums = has_checksums(state->db);
    return Store(std::move(state));
  } catch (const SQLite::Exception& e) {
    const int kind = e.getErrorCode() & 0xff;           // without SQLite's extension
    if (kind == SQLITE_IOERR || kind == SQLITE_FULL) {  // reading needs room for the log's index
      throw Failure(
          fmt::format("{}: cannot be read: {}; perhaps the disk is full", file.string(), e.what()));
    }
    throw InputError(file.string() + ": cannot be read: " + e.what());
  }
}

void Store::require_in_place() const { state_->require_in_place(); }

std::vector<StoredStudy> Store::studies() const try {
  const Snapshot snapshot(state_->db);
  SQLite::Statement query(state_->db, "SELECT name FROM studies ORDER BY position");
  std::vector<StoredStudy> list;
  std::set<std::string> names;
  while (query.executeStep()) {
    const std::string name = query.getColumn(0).getString();
    list.push_back(study(name).value());
    names.insert(name);
  }
  if (!state_->has_checksums) return list;
  SQLite::Statement written(state_->db, "SELECT id FROM checksums WHERE part = 'study'");
  while (written.executeStep()) {
    const std::string name = written.getColumn(0).getString();
    if (!names.contains(name)) state_->require_never_written(Part::study, name);
  }
  return list;
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::optional<StoredStudy> Store::study(const std::string& name) const try {
  const Snapshot snapshot(state_->db);
  SQLite::Statement query = ask(state_->db, Part::study, 0, name);
  if (!query.executeStep()) {
    state_->require_never_written(Part::study, name);
    return std::nullopt;
  }
  RowHash hash;
  hash.add(query);
  state_->require(Part::study, name, hash);
  StoredStudy found = read_study(query);
  if (!is_folder_name(found.name)) {
    throw Failure(fmt::format(
        "{}: holds a study named '{}', which cannot be a folder's name ({}): the file is damaged, "
        "or not of this program; nothing was written",
        state_->file.string(), found.name, kFolderNameRule));
  }
  return found;
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

void Store::each_image(const std::string& study,
                       const std::function<void(const StoredImage&)>& take) const try {
  const Snapshot snapshot(state_->db);
  SQLite::Statement query = ask(state_->db, Part::images, 0, study);
  RowHash hash;
  while (query.executeStep()) {
    hash.add(query);
    take({query.getColumn(0).getString(), query.getColumn(1).getString(),
          query.getColumn(2).getString(), query.getColumn(3).getString(),
          query.getColumn(4).getInt64()});
  }
  state_->require(Part::images, study, hash);
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::vector<StoredPlace> Store::places(const std::string& study) const try {
  const Snapshot snapshot(state_->db);
  SQLite::Statement query = ask(state_->db, Part::places, 0, study);
  std::vector<StoredPlace> list;
  RowHash hash;
  while (query.executeStep()) {
    hash.add(query);
    const auto seed = [&](int column) {
      return static_cast<std::uint64_t>(query.getColumn(column).getInt64());
    };
    list.push_back({query.getColumn(0).getString(), query.getColumn(1).getInt(),
                    TrialSeeds{seed(2), seed(3), seed(4)}, query.getColumn(5).getString()});
  }
  state_->require(Part::places, study, hash);
  return list;
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::vector<RunningTrial> Store::running() const try {
  SQLite::Statement query(state_->db, "SELECT trial_id, pid, epoch, epochs FROM running");
  std::vector<RunningTrial> list;
  while (query.executeStep()) {
    list.push_back({query.getColumn(0).getString(),
                    static_cast<long>(query.getColumn(1).getInt64()), query.getColumn(2).getInt(),
                    query.getColumn(3).getInt()});
  }
  return list;
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::size_t Store::unplaced_trials() const try {
  SQLite::Statement query(
      state_->db,
      "SELECT COUNT(*) FROM trials WHERE id NOT IN (SELECT trial_id FROM study_trials)");
  query.executeStep();
  return static_cast<std::size_t>(query.getColumn(0).getInt64());
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::optional<TrialStatus> Store::status(const std::string& trial_id) const {
  const std::optional<TrialResult> found = trial(trial_id, false);
  if (!found) return std::nullopt;
  return found->status;
}

std::optional<TrialResult> Store::trial(const std::string& trial_id, bool predictions) const try {
  const Snapshot snapshot(state_->db);
  SQLite::Statement query = ask(state_->db, Part::trial, 0, trial_id);
  if (!query.executeStep()) {
    state_->require_never_written(Part::trial, trial_id);
    return std::nullopt;
  }
  RowHash hash;
  hash.add(query);
  TrialResult r;
  const std::optional<TrialStatus> status = parse_status(query.getColumn("status").getString());
  r.status = status.value_or(TrialStatus::failed);
  r.error = query.getColumn("error").getString();
  r.selected_epoch = query.getColumn("selected_epoch").getInt();
  r.steps = query.getColumn("steps").getInt64();
  r.threshold = real(query.getColumn("threshold"));
  r.train_loss = real(query.getColumn("train_loss"));
  r.train_accuracy = real(query.getColumn("train_accuracy"));
  r.val_loss = real(query.getColumn("val_loss"));
  r.val_accuracy = real(query.getColumn("val_accuracy"));
  r.test_loss = real(query.getColumn("test_loss"));
  r.test_accuracy = real(query.getColumn("test_accuracy"));
  r.weights_sha256 = query.getColumn("weights_sha256").getString();
  r.wall_seconds = real(query.getColumn("wall_seconds"));

  SQLite::Statement history = ask(state_->db, Part::trial, 1, trial_id);
  while (history.executeStep()) {
    hash.add(history);
    EpochRecord e;
    e.epoch = history.getColumn("epoch").getInt();
    e.step = history.getColumn("step").getInt64();
    e.lr = real(history.getColumn("lr"));
    e.train_loss = real(history.getColumn("train_loss"));
    e.train_accuracy = real(history.getColumn("train_accuracy"));
    e.val_loss = real(history.getColumn("val_loss"));
    e.val_accuracy = real(history.getColumn("val_accuracy"));
    e.val_auroc = real(history.getColumn("val_auroc"));
    e.train_eval_loss = optional_real(history.getColumn("train_eval_loss"));
    e.train_eval_accuracy = optional_real(history.getColumn("train_eval_accuracy"));
    r.history.push_back(e);
  }
  state_->require(Part::trial, trial_id, hash);
  if (!status) state_->fail_damaged(Part::trial, trial_id, "its status is none that there is");
  if (!predictions) return r;
  SQLite::Statement splits = ask(state_->db, Part::predictions, 0, trial_id);
  RowHash predicted;
  while (splits.executeStep()) {
    predicted.add(splits);
    r.predictions.push_back({splits.getColumn(0).getString(),
                             blob<std::uint32_t>(splits.getColumn(1)),
                             blob<float>(splits.getColumn(2))});
  }
  state_->require(Part::predictions, trial_id, predicted);
  return r;
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::optional<TrialOrigin> Store::origin(const std::string& trial_id) const try {
  const Snapshot snapshot(state_->db);
  if (!trial(trial_id, false)) return std::nullopt;  // holds the row against its checksum
  SQLite::Statement query(state_->db,
                          "SELECT spec, isa, threads, environment FROM trials WHERE id = ?");
  query.bind(1, trial_id);
  if (!query.executeStep()) return std::nullopt;
  return TrialOrigin{query.getColumn(0).getString(), query.getColumn(1).getString(),
                     query.getColumn(3).getString(), query.getColumn(2).getInt()};
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

Store::Verified Store::verify() const try {
  Verified verified;
  const Snapshot snapshot(state_->db);
  SQLite::Statement integrity(state_->db, "PRAGMA integrity_check(20)");
  while (integrity.executeStep()) {
    const std::string said = integrity.getColumn(0).getString();
    if (said != "ok") verified.damage.push_back("the database: " + said);
  }
  std::set<std::pair<std::string, std::string>> known;
  if (state_->has_checksums) {
    SQLite::Statement query(state_->db, "SELECT part, id, sha256 FROM checksums");
    while (query.executeStep()) {
      const std::string name = query.getColumn(0).getString(), id = query.getColumn(1).getString();
      known.emplace(name, id);
      const auto part = std::find_if(kParts.begin(), kParts.end(),
                                     [&](Part each) { return queries_of(each).name == name; });
      if (part == kParts.end()) {
        verified.damage.push_back(
            fmt::format("the checksum of '{}' of {}: no such part", name, id));
      } else if (checksum_of(state_->db, *part, id) != query.getColumn(2).getString()) {
        verified.damage.push_back(fmt::format("{} {}", queries_of(*part).words, id));
      } else {
        ++verified.whole;
      }
    }
  }
  const std::pair<const char*, Part> tables[] = {
      {"SELECT name FROM studies ORDER BY position", Part::study},
      {"SELECT id FROM trials", Part::trial}};
  for (const auto& [sql, part] : tables) {
    SQLite::Statement query(state_->db, sql);
    while (query.executeStep()) {
      const std::string id = query.getColumn(0).getString();
      if (known.contains({queries_of(part).name, id})) continue;
      ++verified.without;
    }
  }
  return verified;
} catch (const SQLite::Exception& e) {
  return {{std::string("the database: ") + e.what()}, 0, 0};
}

void Store::save_study(const StoredStudy& s, std::size_t images,
                       const std::function<StoredImage(std::size_t)>& image_of,
                       const std::vector<StoredPlace>& places) try {
  Transaction transaction(state_->db);
  SQLite::Statement study(
      state_->db,
      "INSERT INTO studies (name, file, toml, command, engine, dataset_path, dataset_hash, "
      "dataset_info, notes, groups_from, positive, threads) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) "
      "ON CONFLICT(name) DO UPDATE SET file=excluded.file, toml=excluded.toml, "
      "command=excluded.command, engine=excluded.engine, dataset_path=excluded.dataset_path, "
      "dataset_hash=excluded.dataset_hash, dataset_info=excluded.dataset_info, "
      "notes=excluded.notes, groups_from=excluded.groups_from, positive=excluded.positive, "
      "threads=excluded.threads");
  SQLite::bind(study, s.name, s.file, s.toml, s.command, s.engine, s.dataset_path, s.dataset_hash,
               s.dataset_info, s.notes, s.groups_from, s.positive, s.threads);
  study.exec();
  for (const char* table : {"study_images", "study_trials"}) {
    SQLite::Statement clear(state_->db, fmt::format("DELETE FROM {} WHERE study = ?", table));
    clear.bind(1, s.name);
    clear.exec();
  }
  SQLite::Statement image(state_->db, "INSERT INTO study_images VALUES (?,?,?,?,?,?,?)");
  for (std::size_t row = 0; row < images; ++row) {
    const StoredImage i = image_of(row);
    SQLite::bind(image, s.name, static_cast<std::int64_t>(row), i.id, i.source, i.split, i.group,
                 i.label);
    image.exec();
    image.reset();
  }
  SQLite::Statement place(state_->db, "INSERT INTO study_trials VALUES (?,?,?,?,?,?,?,?)");
  for (std::size_t k = 0; k < places.size(); ++k) {
    const StoredPlace& p = places[k];
    SQLite::bind(place, s.name, static_cast<std::int64_t>(k), p.arm, p.seed,
                 static_cast<std::int64_t>(p.seeds.split), static_cast<std::int64_t>(p.seeds.init),
                 static_cast<std::int64_t>(p.seeds.order), p.trial_id);
    place.exec();
    place.reset();
  }
  for (const Part part : {Part::study, Part::images, Part::places}) {
    state_->store_checksum(part, s.name);
  }
  transaction.commit();
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

void Store::save_trial(const std::string& id, const TrialOrigin& origin, const TrialResult& r) try {
  Transaction transaction(state_->db);
  SQLite::Statement clear(state_->db, "DELETE FROM trials WHERE id = ? AND status = 'failed'");
  clear.bind(1, id);
  clear.exec();
  SQLite::Statement trial(
      state_->db,
      "INSERT INTO trials (id, spec, status, error, selected_epoch, steps, threshold, train_loss, "
      "train_accuracy, val_loss, val_accuracy, test_loss, test_accuracy, weights_sha256, "
      "wall_seconds, isa, threads, environment) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  trial.bind(1, id);
  trial.bind(2, origin.spec_json);
  trial.bind(3, name_of(r.status));
  trial.bind(4, r.error);
  trial.bind(5, r.selected_epoch);
  trial.bind(6, r.steps);
  const double numbers[] = {r.threshold,    r.train_loss, r.train_accuracy, r.val_loss,
                            r.val_accuracy, r.test_loss,  r.test_accuracy};
  int column = 7;
  for (const double number : numbers) bind_real(trial, column++, number);
  trial.bind(14, r.weights_sha256);
  bind_real(trial, 15, r.wall_seconds);
  trial.bind(16, origin.isa);
  trial.bind(17, origin.threads);
  trial.bind(18, origin.environment);
  trial.exec();

  SQLite::Statement history(state_->db, "INSERT INTO history VALUES (?,?,?,?,?,?,?,?,?,?,?)");
  for (const EpochRecord& e : r.history) {
    history.bind(1, id);
    history.bind(2, e.epoch);
    history.bind(3, e.step);
    bind_real(history, 4, e.lr);
    bind_real(history, 5, e.train_loss);
    bind_real(history, 6, e.train_accuracy);
    bind_real(history, 7, e.val_loss);
    bind_real(history, 8, e.val_accuracy);
    bind_real(history, 9, e.val_auroc);
    bind_real(history, 10, e.train_eval_loss);
    bind_real(history, 11, e.train_eval_accuracy);
    history.exec();
    history.reset();
  }
  SQLite::Statement split(state_->db, "INSERT INTO predictions VALUES (?,?,?,?)");
  for (const SplitPredictions& p : r.predictions) {
    split.bind(1, id);
    split.bind(2, p.split);
    split.bind(3, p.rows.data(), static_cast<int>(4 * p.rows.size()));
    split.bind(4, p.logits.data(), static_cast<int>(4 * p.logits.size()));
    split.exec();
    split.reset();
  }
  SQLite::Statement running(state_->db, "DELETE FROM running WHERE trial_id = ?");
  running.bind(1, id);
  running.exec();
  state_->store_checksum(Part::trial, id);
  state_->store_checksum(Part::predictions, id);
  transaction.commit();
  state_->require_in_place();
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

void Store::set_running(const RunningTrial& r) try {
  SQLite::Statement statement(state_->db, "INSERT OR REPLACE INTO running VALUES (?,?,?,?)");
  SQLite::bind(statement, r.trial_id, static_cast<std::int64_t>(r.pid), r.epoch, r.epochs);
  statement.exec();
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

void Store::clear_running() try {
  state_->db.exec("DELETE FROM running");
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

}  // namespace bioptic
