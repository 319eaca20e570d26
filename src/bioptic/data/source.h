// Where an import reads from: so many images, each with a class, a split and a name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bioptic/data/image.h"
#include "bioptic/data/import.h"

namespace bioptic {

struct SourceItem {
  std::string name;  // for people and index.csv: path below the source, or "file.npy:17"
  std::int64_t label = 0;
  std::string split;  // "train", "val", "test" or ""
  std::string group;  // patient, where the source names it (groups_from), else ""
  double weight = 1;  // where the source is weighted
};

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::size_t size() const = 0;
  virtual SourceItem item(std::size_t i) const = 0;
  // How an error message calls image i: for a person who looks for it on the disk.
  virtual std::string place(std::size_t i) const { return item(i).name; }
  // Both may be called from several threads; both throw InputError naming the file.
  virtual ImageHeader header(std::size_t i) const = 0;
  virtual Image load(std::size_t i) const = 0;

  std::vector<std::string> classes;
  std::vector<std::string> notes;
  Losses losses;                     // of the source as a whole; those of an image come with it
  std::vector<std::string> skipped;  // what is not among its images, with the reason
  std::string kind;                  // "class folders", "manifest", "arrays", "MedMNIST .npz"
  std::string groups_from;           // words for a person where items carry groups, else ""
  bool weighted = false;             // items carry weights
  // Names and paths may identify a person: none is stored (item() gives running numbers).
  bool anonymous = false;
  std::string preprocessing;  // JSON object text that joins the dataset's; "" = nothing
  std::string value_range;    // floats: the range that became 0..65535; "" otherwise
};

// Makes a dataset of all images.  `provenance_source`: the source's name as the dataset stores it.
// Throws as import_source.
ImportReport import_from(const ImageSource& source, const std::filesystem::path& folder,
                         const std::string& provenance_source, const ImportOptions& options,
                         const Progress& progress = {});

// .npy files, one per class and split.
std::unique_ptr<ImageSource> open_arrays(const std::vector<ClassFile>& files);

// MedMNIST's .npz, or one with Keras's names (x_train, y_train, ...).  `scratch`: a new folder for
// the unpacked arrays; the caller removes it.
std::unique_ptr<ImageSource> open_npz(const std::filesystem::path& file,
                                      const std::filesystem::path& scratch);

}  // namespace bioptic
