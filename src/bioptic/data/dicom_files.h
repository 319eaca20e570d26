// The DICOM files of an import: their headers, read once, and their frames.
#pragma once

#include <cstddef>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bioptic/data/dicom.h"
#include "bioptic/data/image.h"
#include "bioptic/data/import.h"

namespace bioptic {

// Files with several frames, decoded once for frames that are asked for one after the other.
class DecodedFiles {
 public:
  // `kept` files at most lie decoded at a time: one for every thread that asks.
  explicit DecodedFiles(std::size_t kept) : kept_(kept) {}
  // A file's content, from `read` where it is not at hand; gone again when its `frames` were had.
  template <typename Read>
  std::shared_ptr<const DicomFile> get(std::size_t file, std::size_t frames, const Read& read) {
    const std::shared_ptr<Slot> slot = slot_of(file, frames);
    const std::lock_guard lock(slot->mutex);
    if (!slot->content) slot->content = std::make_shared<const DicomFile>(read());
    return slot->content;
  }

 private:
  struct Slot {
    explicit Slot(std::size_t f) : file(f) {}
    std::size_t file, asked = 0;
    std::mutex mutex;
    std::shared_ptr<const DicomFile> content;
  };
  std::shared_ptr<Slot> slot_of(std::size_t file, std::size_t frames);

  std::size_t kept_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Slot>> slots_;
};

class DicomFiles {
 public:
  // Reads all headers.  grouped: the list of files names the groups.
  DicomFiles(std::vector<std::filesystem::path> files, const ImportOptions& options, bool grouped);

  std::size_t frames(std::size_t file) const { return facts_[file].frames; }  // 1 of a bad file
  // A keyed hash; "" = the image alone, or the list names the groups.
  const std::string& group(std::size_t file) const { return facts_[file].group; }
  std::string hashed(const std::string& group) const { return group_name(key_, group); }
  // Both throw InputError naming the file; safe from several threads.
  ImageHeader header(std::size_t file) const;
  Image load(std::size_t file, std::size_t frame) const;

  std::vector<std::string> notes;
  std::string preprocessing;  // JSON object text: the window

 private:
  // What is kept of a header.
  struct Facts {
    std::size_t frames = 1;
    ImageHeader header;
    std::string error;  // why it cannot be used; "" = it can
    std::string group;
    bool from_study = false, burned_in = false, colour_overruled = false;
    DicomRange range;
    std::map<DicomRule, std::size_t> rules;       // frames
    std::set<std::pair<double, double>> windows;  // centre and width of frames by DicomRule::window
  };
  Facts facts_of(const DicomFile& file) const;
  void check_window(std::size_t file, const DicomFile& content) const;
  void describe(bool grouped);
  void describe_windows();
  void describe_patients();

  std::vector<std::filesystem::path> files_;
  DicomOptions options_;
  std::int64_t max_pixels_;
  DicomReader reader_;
  std::string key_;
  std::vector<Facts> facts_;
  DicomScale scale_;
  mutable DecodedFiles decoded_;
};

}  // namespace bioptic
