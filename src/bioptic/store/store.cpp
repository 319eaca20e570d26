#include "bioptic/store/store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/store/schema.h"

namespace bioptic {
namespace fs = std::filesystem;

struct Store::State {
  SQLite::Database db;
  // SQLite's reasons (disk full, damaged file) name no file.
  [[noreturn]] void fail(const SQLite::Exception& e) const {
    throw Failure(db.getFilename() + ": " + e.what());
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

void migrate(SQLite::Database& db) {
  for (auto version = static_cast<std::size_t>(schema_version(db)); version < kMigrations.size();
       ++version) {
    SQLite::Transaction transaction(db);
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

TrialStatus parse_status(const std::string& text) {
  if (text == "done") return TrialStatus::done;
  return text == "collapsed" ? TrialStatus::collapsed : TrialStatus::failed;
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open_to_write(const fs::path& out) {
  const fs::path file = out / "bioptic.sqlite";
  try {
    auto state = std::make_unique<State>(State{SQLite::Database(
        path_for_sqlite(file), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMilliseconds)});
    check_version(state->db, file);
    // A committed trial survives a power cut; readers (bioptic status) do not wait for the writer.
    state->db.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    migrate(state->db);
    return Store(std::move(state));
  } catch (const SQLite::Exception& e) {
    throw InputError(file.string() + ": cannot be used as a store: " + e.what());
  }
}

Store Store::open_to_read(const fs::path& out) {
  const fs::path file = out / "bioptic.sqlite";
  if (!fs::exists(file)) {
    throw InputError(out.string() +
                     ": holds no runs (no bioptic.sqlite); give the --out folder of "
                     "bioptic run");
  }
  try {
    // Not read-only: a store whose writer was killed needs its log replayed.
    auto state = std::make_unique<State>(
        State{SQLite::Database(path_for_sqlite(file), SQLite::OPEN_READWRITE, kBusyMilliseconds)});
    check_version(state->db, file);
    if (schema_version(state->db) == 0) {  // a run that began this moment, or a killed one
      throw InputError(file.string() + ": holds no runs yet; start bioptic run again");
    }
    migrate(state->db);
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

std::vector<StoredStudy> Store::studies() const try {
  SQLite::Statement query(state_->db, "SELECT * FROM studies ORDER BY position");
  std::vector<StoredStudy> list;
  while (query.executeStep()) list.push_back(read_study(query));
  return list;
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::optional<StoredStudy> Store::study(const std::string& name) const try {
  SQLite::Statement query(state_->db, "SELECT * FROM studies WHERE name = ?");
  query.bind(1, name);
  if (!query.executeStep()) return std::nullopt;
  return read_study(query);
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

void Store::each_image(const std::string& study,
                       const std::function<void(const StoredImage&)>& take) const try {
  SQLite::Statement query(
      state_->db,
      "SELECT id, source, split, grp, label FROM study_images WHERE study = ? ORDER BY row");
  query.bind(1, study);
  while (query.executeStep()) {
    take({query.getColumn(0).getString(), query.getColumn(1).getString(),
          query.getColumn(2).getString(), query.getColumn(3).getString(),
          query.getColumn(4).getInt64()});
  }
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::vector<StoredPlace> Store::places(const std::string& study) const try {
  SQLite::Statement query(state_->db,
                          "SELECT arm, seed, seed_split, seed_init, seed_order, trial_id FROM "
                          "study_trials WHERE study = ? ORDER BY position");
  query.bind(1, study);
  std::vector<StoredPlace> list;
  while (query.executeStep()) {
    const auto seed = [&](int column) {
      return static_cast<std::uint64_t>(query.getColumn(column).getInt64());
    };
    list.push_back({query.getColumn(0).getString(), query.getColumn(1).getInt(),
                    TrialSeeds{seed(2), seed(3), seed(4)}, query.getColumn(5).getString()});
  }
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

std::optional<TrialStatus> Store::status(const std::string& trial_id) const try {
  SQLite::Statement query(state_->db, "SELECT status FROM trials WHERE id = ?");
  query.bind(1, trial_id);
  if (!query.executeStep()) return std::nullopt;
  return parse_status(query.getColumn(0).getString());
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::optional<TrialResult> Store::trial(const std::string& trial_id, bool predictions) const try {
  SQLite::Statement query(state_->db, "SELECT * FROM trials WHERE id = ?");
  query.bind(1, trial_id);
  if (!query.executeStep()) return std::nullopt;
  TrialResult r;
  r.status = parse_status(query.getColumn("status").getString());
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

  SQLite::Statement history(state_->db, "SELECT * FROM history WHERE trial_id = ? ORDER BY epoch");
  history.bind(1, trial_id);
  while (history.executeStep()) {
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
  if (!predictions) return r;
  SQLite::Statement splits(
      state_->db,
      "SELECT split, rows, logits FROM predictions WHERE trial_id = ? ORDER BY split DESC");
  splits.bind(1, trial_id);
  while (splits.executeStep()) {
    r.predictions.push_back({splits.getColumn(0).getString(),
                             blob<std::uint32_t>(splits.getColumn(1)),
                             blob<float>(splits.getColumn(2))});
  }
  return r;
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

std::optional<TrialOrigin> Store::origin(const std::string& trial_id) const try {
  SQLite::Statement query(state_->db,
                          "SELECT spec, isa, threads, environment FROM trials WHERE id = ?");
  query.bind(1, trial_id);
  if (!query.executeStep()) return std::nullopt;
  return TrialOrigin{query.getColumn(0).getString(), query.getColumn(1).getString(),
                     query.getColumn(3).getString(), query.getColumn(2).getInt()};
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

void Store::save_study(const StoredStudy& s, std::size_t images,
                       const std::function<StoredImage(std::size_t)>& image_of,
                       const std::vector<StoredPlace>& places) try {
  SQLite::Transaction transaction(state_->db);
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
  transaction.commit();
} catch (const SQLite::Exception& e) {
  state_->fail(e);
}

void Store::save_trial(const std::string& id, const TrialOrigin& origin, const TrialResult& r) try {
  SQLite::Transaction transaction(state_->db);
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
  transaction.commit();
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
