// Very many files and what is known of each, in little memory: 32 bytes each beside the text of
// the name and the group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bioptic/data/source.h"

namespace bioptic {

struct ListedFile {
  std::filesystem::path path;  // can be opened as it is
  SourceItem item;             // of every image in the file
  bool dicom = false;          // else JPEG, PNG or TIFF
};

// Texts that stay where they are put; nothing is copied as it grows.
class TextStore {
 public:
  std::string_view add(std::string_view text);

 private:
  static constexpr std::size_t kBlock = 1U << 16;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t left_ = 0;  // in the last block
};

class FileTable {
 public:
  // A file's path is `base` / its item's name; an absolute name is the path.
  explicit FileTable(std::filesystem::path base = {}) : base_(std::move(base)) {}

  std::size_t size() const { return records_.size(); }
  // Made anew at every call.
  ListedFile operator[](std::size_t i) const;
  std::filesystem::path path(std::size_t i) const { return base_ / name(i); }
  std::string_view name(std::size_t i) const { return {records_[i].text, records_[i].name}; }
  bool dicom(std::size_t i) const { return records_[i].dicom; }

  // At most 2^32 - 1 files, labels and bytes of a text.
  void add(const SourceItem& item, bool dicom);
  // Puts the files from `first` on in the order of their names, folder by folder: bytes, but a '/'
  // comes before everything else, as std::filesystem::path compares.
  void sort(std::size_t first);

 private:
  struct Record {
    const char* text = nullptr;         // name, then group
    std::uint32_t name = 0, group = 0;  // bytes
    std::uint32_t label = 0;
    std::uint8_t split = 0;  // index into splits_
    bool dicom = false;
    double weight = 1;
  };
  std::filesystem::path base_;
  TextStore texts_;
  std::deque<Record> records_;
  std::vector<std::string> splits_;
};

}  // namespace bioptic
