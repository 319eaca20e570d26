// From images as people have them to a dataset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bioptic/data/dataset.h"

namespace bioptic {

enum class Fit { stretch, pad, crop };

// How DICOM's grey values become 0..255.
enum class DicomWindow {
  file,        // as the file says: its VOI lookup table or window; see dicom_rule for the others
  percentile,  // 0.5 to 99.5 % of each image's own pixels
  fixed,       // low to high, in modality values (HU for CT)
  none         // no window: modality values in 16 bits
};

struct DicomOptions {
  DicomWindow window = DicomWindow::file;
  double low = 0, high = 0;         // fixed: high > low; none: -low is added, 0 = as is needed
  double unit = 0, zero = 0;        // none: see DicomScale; unit 0 = both as is needed
  std::filesystem::path group_key;  // "" = the user's own, see group_key
};

struct ImportOptions {
  std::optional<int> size;      // pixels, both sides; unset: images must all have one size
  std::optional<int> channels;  // 1 = grey, 3 = RGB; unset: as the source (grey when all are grey)
  Fit fit = Fit::stretch;
  std::string group;  // search expression for the patient, see GroupSearch; "" = none
  DicomOptions dicom;
  bool skip_bad = false;
  std::int64_t max_pixels = std::int64_t{1} << 28;
  int threads = 0;  // 0 = all processors
};

// Changes whenever some source would give other pixels, or is read where it was refused; stands in
// dataset.json ("importer" of the provenance) and is part of a cached import's name.
// 2: files as they really are (what decodes in full is read; losses are counted).
inline constexpr int kImporterVersion = 2;

// One array file of one class, for sources without folders.
struct ClassFile {
  std::string name;            // class
  std::filesystem::path file;  // .npy, (N,H,W) or (N,H,W,C)
  std::string split;           // "train" or "test", "" when no test files are given
};

struct ImportReport {
  DatasetInfo info;
  std::vector<std::string> skipped;  // files left out under skip_bad, with the reason
  std::vector<std::string> notes;
};

using Progress = std::function<void(std::size_t done, std::size_t total)>;

// `source`: a folder of class folders, with or without train/ val/ test/ above them; a manifest
// (.csv, see list_manifest); a .npz in MedMNIST's layout.  Throws InputError naming the file, the
// fault and the remedy; then `folder` does not exist.
ImportReport import_source(const std::filesystem::path& source, const std::filesystem::path& folder,
                           const ImportOptions& options, const Progress& progress = {});
ImportReport import_arrays(const std::vector<ClassFile>& files, const std::filesystem::path& folder,
                           const ImportOptions& options, const Progress& progress = {});

// True when `path` is a dataset folder (it has a dataset.json).
bool is_dataset(const std::filesystem::path& path);

// SHA-256 over the names and contents of the files that import_source would read, and the options.
// For studies that name a source: throws InputError where it holds a DICOM file.
std::string source_hash(const std::filesystem::path& source, const ImportOptions& options);

}  // namespace bioptic
