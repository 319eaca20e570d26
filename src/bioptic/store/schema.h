// The tables of bioptic.sqlite, one entry per version; a store of an older version is brought up by
// the later entries.
#pragma once

#include <array>

namespace bioptic {

inline constexpr std::array<const char*, 1> kMigrations = {
    R"sql(
CREATE TABLE studies (
  position INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  file TEXT NOT NULL, toml TEXT NOT NULL, command TEXT NOT NULL, engine TEXT NOT NULL,
  dataset_path TEXT NOT NULL, dataset_hash TEXT NOT NULL, dataset_info TEXT NOT NULL,
  notes TEXT NOT NULL, groups_from TEXT NOT NULL, positive INTEGER NOT NULL, threads INTEGER NOT NULL);
CREATE TABLE study_images (
  study TEXT NOT NULL, row INTEGER NOT NULL,
  id TEXT NOT NULL, source TEXT NOT NULL, split TEXT NOT NULL, grp TEXT NOT NULL,
  label INTEGER NOT NULL, PRIMARY KEY (study, row)) WITHOUT ROWID;
CREATE TABLE study_trials (
  study TEXT NOT NULL, position INTEGER NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL,
  seed_split INTEGER NOT NULL, seed_init INTEGER NOT NULL, seed_order INTEGER NOT NULL,
  trial_id TEXT NOT NULL, PRIMARY KEY (study, position)) WITHOUT ROWID;
CREATE TABLE trials (
  id TEXT PRIMARY KEY, spec TEXT NOT NULL, status TEXT NOT NULL, error TEXT NOT NULL,
  selected_epoch INTEGER, steps INTEGER, threshold REAL, train_loss REAL, train_accuracy REAL,
  val_loss REAL, val_accuracy REAL, test_loss REAL, test_accuracy REAL, weights_sha256 TEXT,
  wall_seconds REAL, isa TEXT, threads INTEGER, environment TEXT,
  finished TEXT DEFAULT CURRENT_TIMESTAMP) WITHOUT ROWID;
CREATE TABLE history (
  trial_id TEXT NOT NULL REFERENCES trials(id), epoch INTEGER NOT NULL, step INTEGER NOT NULL,
  lr REAL, train_loss REAL, train_accuracy REAL, val_loss REAL, val_accuracy REAL, val_auroc REAL,
  train_eval_loss REAL, train_eval_accuracy REAL, PRIMARY KEY (trial_id, epoch)) WITHOUT ROWID;
CREATE TABLE predictions (
  trial_id TEXT NOT NULL REFERENCES trials(id), split TEXT NOT NULL,
  rows BLOB NOT NULL,    -- uint32, little-endian: rows of the dataset
  logits BLOB NOT NULL,  -- float32, little-endian: rows x outputs
  PRIMARY KEY (trial_id, split));
CREATE TABLE running (
  trial_id TEXT PRIMARY KEY, pid INTEGER NOT NULL, epoch INTEGER NOT NULL,
  epochs INTEGER NOT NULL) WITHOUT ROWID;
)sql"};

// What older programs need not know of, so that they go on with the store: made by whoever opens it
// to write.  Rows that an older program writes have no checksum; the triggers take that of rows it
// replaces.
inline constexpr const char* kAdditions = R"sql(
CREATE TABLE IF NOT EXISTS checksums (
  part TEXT NOT NULL, id TEXT NOT NULL,  -- see kParts in row_checksum.h
  sha256 TEXT NOT NULL, PRIMARY KEY (part, id)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS replaced_study AFTER UPDATE ON studies BEGIN
  DELETE FROM checksums WHERE part IN ('study', 'images', 'places') AND id = old.name; END;
CREATE TRIGGER IF NOT EXISTS removed_trial AFTER DELETE ON trials BEGIN
  DELETE FROM checksums WHERE part IN ('trial', 'predictions') AND id = old.id; END;
)sql";

}  // namespace bioptic
