// A dataset on disk: a folder that NumPy users can open.
//
//   images.npy    uint8 or uint16, N x C x H x W, C order; memory-mapped here
//   labels.npy    int64, N
//   index.csv     id,source,class,split,group   (one row per image, in the order of images.npy);
//                 a sixth column, weight, where the source gives weights
//   dataset.json  format version, dtype, classes, size, preprocessing, provenance, SHA-256
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bioptic {

// Of dataset.json; a newer one is refused.  2: index.csv has weights; other datasets are written as
// 1, which older programs read.
inline constexpr int kDatasetFormatVersion = 2;

enum class PixelType { uint8, uint16 };

// What stands in dataset.json, apart from the hash that the writer computes.
struct DatasetInfo {
  PixelType dtype = PixelType::uint8;
  std::size_t images = 0;                   // N
  int channels = 1, height = 0, width = 0;  // C, H, W
  std::vector<std::string> classes;         // by label: 0, 1, ...; sorted by name unless given
  // How groups (patients) were found: "" when the source does not name them (every image its own),
  // else words for a person: "phantom patient", "search '(person\d+)' in the file name", ...
  std::string groups_from;
  bool weighted = false;      // index.csv has a column of weights
  std::string preprocessing;  // JSON object text: size, fit, resampling, grey conversion, range
  std::string provenance;     // JSON object text: source, importer version, skipped files
  std::string content_hash;   // SHA-256 over dtype, size, classes, pixels, labels and index.csv
};

// One row of index.csv.
struct ImageRecord {
  std::string_view id;      // unique in the dataset, "000000", "000001", ...
  std::string_view source;  // path relative to the imported folder, or "file.npy:17"
  std::int64_t label = 0;
  std::string_view
      split;  // "train", "val", "test" as the source names it, or "" when it names none
  std::string_view group;  // patient or study; "" when unknown
  double weight = 1;       // how much the image counts in training, see sample_weight; > 0
};

// Read-only; the images stay on disk and are mapped.  Copies are cheap and share the map.
class Dataset {
 public:
  // Throws InputError naming the file when the folder is no dataset, its parts disagree (shape,
  // number of rows), or its format version is newer than this program's.
  // `verify` recomputes the content hash and throws when it differs from dataset.json.
  static Dataset open(const std::filesystem::path& folder, bool verify = false);

  const std::filesystem::path& folder() const;
  const DatasetInfo& info() const;
  std::size_t size() const { return info().images; }
  std::size_t pixels_per_image() const;       // C H W
  ImageRecord record(std::size_t row) const;  // views live as long as the dataset
  std::int64_t label(std::size_t row) const;
  // Pixels of one image, C x H x W.  Throws std::logic_error when the dtype differs.
  std::span<const std::uint8_t> image8(std::size_t row) const;
  std::span<const std::uint16_t> image16(std::size_t row) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

// Writes a dataset, image by image, into a temporary folder that finish() puts in place, so that
// memory does not grow with the number of images.  A writer that is destroyed unfinished removes
// what it wrote.
class DatasetWriter {
 public:
  // `info` without images and content_hash.  Throws InputError when `folder` exists already.
  DatasetWriter(const std::filesystem::path& folder, const DatasetInfo& info);
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  // Appends one image (C x H x W pixels of info.dtype, host byte order).  The id is the running
  // number; `record.id` is ignored.  Throws InputError when label is not in [0, classes).
  void add(std::span<const std::uint8_t> pixels, const ImageRecord& record);
  void add(std::span<const std::uint16_t> pixels, const ImageRecord& record);

  // Replaces DatasetInfo::provenance, some of which is known only when all images were read.
  void set_provenance(const std::string& json);
  // Writes headers, index.csv and dataset.json, syncs, renames.  Returns the finished info.
  DatasetInfo finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bioptic
