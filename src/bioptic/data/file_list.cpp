#include "bioptic/data/file_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <optional>
#include <utility>

#include "bioptic/base/utf8.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/dicom_files.h"

namespace bioptic {
namespace {

class FileSource : public ImageSource {
 public:
  FileSource(FileList list, const ImportOptions& options)
      : files_(std::move(list.files)), options_(options) {
    kind = std::move(list.kind);
    classes = std::move(list.classes);
    notes = std::move(list.notes);
    losses = list.losses;
    skipped = std::move(list.skipped);
    groups_from = std::move(list.groups_from);
    weighted = list.weighted;
    std::vector<std::filesystem::path> dicom;
    for (std::size_t f = 0; f < files_.size(); ++f) {
      if (files_.dicom(f)) dicom.push_back(files_.path(f));
    }
    if (!dicom.empty()) read_dicom(std::move(dicom));  // else one image a file: nothing to keep
  }

  std::size_t size() const override { return dicom_ ? images_.size() : files_.size(); }
  SourceItem item(std::size_t i) const override {
    const Place place = place_of(i);
    SourceItem found = files_[place.file].item;
    if (!dicom_) {
      if (!is_utf8(found.name)) found.name = as_utf8(found.name);
      return found;
    }
    found.name = fmt::format("{:06}", i);
    if (!found.group.empty()) {
      found.group = dicom_->hashed(found.group);
    } else if (place.dicom != kNone) {
      found.group = dicom_->group(place.dicom);
    }
    return found;
  }
  std::string place(std::size_t i) const override { return files_.path(place_of(i).file).string(); }
  ImageHeader header(std::size_t i) const override {
    const Place place = place_of(i);
    if (place.dicom != kNone) return dicom_->header(place.dicom);
    return read_image_header(files_.path(place.file), options_.max_pixels);
  }
  Image load(std::size_t i) const override {
    const Place place = place_of(i);
    if (place.dicom != kNone) return dicom_->load(place.dicom, place.frame);
    // Where one image has colour, others will: to look for images without is no longer worth it.
    const bool hopeful = options_.channels == 1 && !coloured_;
    Image image = decode_image(files_.path(place.file), options_.max_pixels,
                               hopeful ? Wanted::grey : Wanted::as_stored);
    if (hopeful && image.channels == 3) coloured_ = true;
    return image;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Place {
    std::uint32_t file, frame;
    std::uint32_t dicom;  // number among the DICOM files, or kNone
  };

  void read_dicom(std::vector<std::filesystem::path> dicom) {
    anonymous = true;
    const bool grouped = !groups_from.empty();
    dicom_.emplace(std::move(dicom), options_, grouped);
    if (std::string note = open_key_note(options_.dicom.group_key); !note.empty()) {
      notes.push_back(std::move(note));
    }
    groups_from = grouped ? "keyed hash of the " + groups_from
                          : "keyed hash of PatientID (of StudyInstanceUID where that is empty)";
    preprocessing = dicom_->preprocessing;
    notes.insert(notes.end(), dicom_->notes.begin(), dicom_->notes.end());
    std::uint32_t number = 0;
    for (std::uint32_t f = 0; f < files_.size(); ++f) {
      const std::uint32_t of_dicom = files_.dicom(f) ? number++ : kNone;
      const std::size_t frames = of_dicom == kNone ? 1 : dicom_->frames(of_dicom);
      for (std::uint32_t k = 0; k < frames; ++k) images_.push_back({f, k, of_dicom});
    }
  }

  Place place_of(std::size_t i) const {
    return dicom_ ? images_[i] : Place{static_cast<std::uint32_t>(i), 0, kNone};
  }

  FileTable files_;
  ImportOptions options_;
  std::optional<DicomFiles> dicom_;  // where one file is
  std::vector<Place> images_;        // with dicom_
  mutable std::atomic<bool> coloured_{false};
};

}  // namespace

std::unique_ptr<ImageSource> open_files(FileList list, const ImportOptions& options) {
  return std::make_unique<FileSource>(std::move(list), options);
}

std::string ending_of(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

}  // namespace bioptic
