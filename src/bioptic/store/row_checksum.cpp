#include "bioptic/store/row_checksum.h"

#include <sqlite3.h>

#include <cstdint>
#include <cstring>

namespace bioptic {

const PartQueries& queries_of(Part part) {
  static const std::array<PartQueries, kParts.size()> parts = {{
      {"study",
       "study",
       {"SELECT position, name, file, toml, command, engine, dataset_path, dataset_hash, "
        "dataset_info, notes, groups_from, positive, threads FROM studies WHERE name = ?"}},
      {"images",
       "the images of study",
       {"SELECT id, source, split, grp, label, row FROM study_images WHERE study = ? "
        "ORDER BY row"}},
      {"places",
       "the list of trials of study",
       {"SELECT arm, seed, seed_split, seed_init, seed_order, trial_id, position FROM study_trials "
        "WHERE study = ? ORDER BY position"}},
      {"trial",
       "trial",
       {"SELECT id, spec, status, error, selected_epoch, steps, threshold, train_loss, "
        "train_accuracy, val_loss, val_accuracy, test_loss, test_accuracy, weights_sha256, "
        "wall_seconds, isa, threads, environment FROM trials WHERE id = ?",
        "SELECT epoch, step, lr, train_loss, train_accuracy, val_loss, val_accuracy, val_auroc, "
        "train_eval_loss, train_eval_accuracy FROM history WHERE trial_id = ? ORDER BY epoch"}},
      {"predictions",
       "the predictions of trial",
       {"SELECT split, rows, logits FROM predictions WHERE trial_id = ? ORDER BY split DESC"}},
  }};
  return parts.at(static_cast<std::size_t>(part));
}

void RowHash::add(SQLite::Statement& row) {
  hash_.update("r", 1);
  for (int i = 0; i < row.getColumnCount(); ++i) {
    const SQLite::Column column = row.getColumn(i);
    const char type = static_cast<char>(column.getType());
    hash_.update(&type, 1);
    if (type == SQLITE_INTEGER) {
      const std::int64_t value = column.getInt64();
      hash_.update(&value, sizeof value);
    } else if (type == SQLITE_FLOAT) {
      const double value = column.getDouble();
      hash_.update(&value, sizeof value);
    } else if (type != SQLITE_NULL) {  // text and bytes
      const void* const bytes = column.getBlob();
      const auto count = static_cast<std::int64_t>(column.getBytes());
      hash_.update(&count, sizeof count);
      if (count > 0) hash_.update(bytes, static_cast<std::size_t>(count));
    }
  }
}

std::string checksum_of(SQLite::Database& db, Part part, const std::string& id) {
  RowHash hash;
  for (const char* const query : queries_of(part).queries) {
    SQLite::Statement statement(db, query);
    statement.bind(1, id);
    while (statement.executeStep()) hash.add(statement);
  }
  return hash.hex();
}

}  // namespace bioptic
