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
};

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::size_t size() const = 0;
  virtual SourceItem item(std::size_t i) const = 0;
  // Both may be called from several threads; both throw InputError naming the file.
  virtual ImageHeader header(std::size_t i) const = 0;
  virtual Image load(std::size_t i) const = 0;

  std::vector<std::string> classes;
  std::vector<std::string> notes;
  std::string kind;         // "class folders", "arrays", "MedMNIST .npz"
  std::string value_range;  // floats: the range that became 0..65535; "" otherwise
};

// A folder of class folders, with or without train/ val/ test/ above them.
std::unique_ptr<ImageSource> open_folder(const std::filesystem::path& folder,
                                         std::int64_t max_pixels);
// Every file that open_folder would read, relative to the folder, sorted.
std::vector<std::filesystem::path> folder_files(const std::filesystem::path& folder);

// .npy files, one per class and split.
std::unique_ptr<ImageSource> open_arrays(const std::vector<ClassFile>& files);

// MedMNIST's .npz.  `scratch`: a new folder for the unpacked arrays; the caller removes it.
std::unique_ptr<ImageSource> open_npz(const std::filesystem::path& file,
                                      const std::filesystem::path& scratch);

}  // namespace bioptic
