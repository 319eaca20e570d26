#include "bioptic/data/file_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <list>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/parallel.h"
#include "bioptic/data/dicom.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace {

const char* name_of(DicomRule rule) {
  switch (rule) {
    case DicomRule::voi_lut:
      return "VOI lookup table of the file";
    case DicomRule::window:
      return "window of the file";
    case DicomRule::fixed:
      return "low to high as given";
    case DicomRule::percentile:
      return "0.5 to 99.5 % of the image's pixels";
    case DicomRule::whole:
      return "whole stored range";
    case DicomRule::none:
      return "none: modality values";
  }
  return "";
}

// What the source keeps of a DICOM file's header.
struct Facts {
  std::size_t frames = 1;
  std::string group;  // "" = the image alone
  bool from_study = false, burned_in = false, readable = false;
  double smallest = 0;
  std::map<DicomRule, std::size_t> rules;       // frames
  std::set<std::pair<double, double>> windows;  // centre and width of frames by DicomRule::window
};

// Files with several frames, decoded once for frames that are asked for one after the other.
class DecodedFiles {
 public:
  template <typename Read>
  std::shared_ptr<const DicomFile> get(std::size_t file, const Read& read) {
    std::shared_ptr<Slot> slot;
    {
      const std::lock_guard lock(mutex_);
      auto found = std::find_if(slots_.begin(), slots_.end(),
                                [&](const auto& s) { return s->file == file; });
      if (found == slots_.end()) {
        slots_.push_front(std::make_shared<Slot>(file));
        if (slots_.size() > kKept) slots_.pop_back();
        found = slots_.begin();
      }
      slot = *found;
    }
    const std::lock_guard lock(slot->mutex);
    if (!slot->content) slot->content = std::make_shared<const DicomFile>(read());
    return slot->content;
  }

 private:
  static constexpr std::size_t kKept = 2;
  struct Slot {
    explicit Slot(std::size_t f) : file(f) {}
    std::size_t file;
    std::mutex mutex;
    std::shared_ptr<const DicomFile> content;
  };
  std::mutex mutex_;
  std::list<std::shared_ptr<Slot>> slots_;
};

class FileSource : public ImageSource {
 public:
  FileSource(FileList list, const ImportOptions& options)
      : files_(std::move(list.files)), options_(options) {
    kind = std::move(list.kind);
    classes = std::move(list.classes);
    notes = std::move(list.notes);
    groups_from = std::move(list.groups_from);
    weighted = list.weighted;
    std::vector<std::size_t> dicom;
    for (std::size_t f = 0; f < files_.size(); ++f) {
      if (files_.dicom(f)) dicom.push_back(f);
    }
    if (dicom.empty()) return;  // one image a file: nothing to keep for each
    facts_.resize(files_.size());
    read_facts(dicom);
    for (std::size_t f = 0; f < files_.size(); ++f) {
      for (std::size_t k = 0; k < (facts_[f] ? facts_[f]->frames : 1); ++k) {
        images_.emplace_back(static_cast<std::uint32_t>(f), static_cast<std::uint32_t>(k));
      }
    }
  }

  std::size_t size() const override { return facts_.empty() ? files_.size() : images_.size(); }
  SourceItem item(std::size_t i) const override {
    const std::size_t f = place_of(i).first;
    SourceItem found = files_[f].item;
    if (anonymous) found.name = fmt::format("{:06}", i);
    if (anonymous && !found.group.empty()) found.group = group_name(key_, found.group);
    if (!facts_.empty() && facts_[f] && found.group.empty()) found.group = facts_[f]->group;
    return found;
  }
  std::string place(std::size_t i) const override {
    return files_.path(place_of(i).first).string();
  }
  ImageHeader header(std::size_t i) const override {
    const ListedFile file = files_[place_of(i).first];
    if (!file.dicom) return read_image_header(file.path, options_.max_pixels);
    const DicomFile read = reader_->read_header(file.path, options_.max_pixels);
    return {read.width, read.height, read.colour == DicomColour::rgb ? 3 : 1,
            dicom_bits(read, options_.dicom)};
  }
  Image load(std::size_t i) const override {
    const auto [f, frame] = place_of(i);
    const ListedFile file = files_[f];
    if (!file.dicom) {
      // Where one image has colour, others will: to look for images without is no longer worth it.
      const bool hopeful = options_.channels == 1 && !coloured_;
      Image image =
          decode_image(file.path, options_.max_pixels, hopeful ? Wanted::grey : Wanted::as_stored);
      if (hopeful && image.channels == 3) coloured_ = true;
      return image;
    }
    const auto read = [&] { return reader_->read(file.path, options_.max_pixels); };
    const auto content =
        facts_[f]->frames > 1 ? decoded_.get(f, read) : std::make_shared<const DicomFile>(read());
    if (frame >= content->frames.size()) {
      throw InputError(file.path.string() + ": has fewer frames than when it was first read");
    }
    return dicom_image(*content, frame, options_.dicom, offset_);
  }

 private:
  Facts facts_of(const DicomFile& file) const {
    Facts facts;
    facts.readable = true;
    facts.frames = file.frames.size();
    facts.burned_in = file.burned_in;
    facts.smallest = smallest_modality_value(file);
    if (!file.patient_id.empty()) {
      facts.group = group_name(key_, file.patient_id);
    } else if (!file.study_uid.empty()) {
      facts.group = group_name(key_, file.study_uid);
      facts.from_study = true;
    } else if (facts.frames > 1 && !file.instance_uid.empty()) {
      facts.group = group_name(key_, file.instance_uid);  // frames of one file belong together
    }
    for (std::size_t f = 0; f < file.frames.size() && file.colour != DicomColour::rgb; ++f) {
      const DicomRule rule = dicom_rule(file, f, options_.dicom);
      ++facts.rules[rule];
      if (rule == DicomRule::window) {
        facts.windows.emplace(file.frames[f].center, file.frames[f].width);
      }
    }
    return facts;
  }

  void read_facts(const std::vector<std::size_t>& dicom) {
    reader_.emplace();
    anonymous = true;
    const bool grouped = !groups_from.empty();
    key_ = group_key(options_.dicom.group_key);
    if (std::string note = open_key_note(options_.dicom.group_key); !note.empty()) {
      notes.push_back(std::move(note));
    }
    ThreadPool pool(options_.threads > 0 ? options_.threads : available_processors());
    pool.run(dicom.size(), [&](std::size_t k) {
      Facts facts;  // of a file that cannot be read: header() says why, when it is asked
      try {
        facts = facts_of(reader_->read_header(files_.path(dicom[k]), options_.max_pixels));
      } catch (const InputError&) {
      }
      facts_[dicom[k]] = std::move(facts);
    });
    if (!grouped) {
      groups_from = "keyed hash of PatientID (of StudyInstanceUID where that is empty)";
    } else {
      groups_from = "keyed hash of the " + groups_from;
      for (const std::size_t f : dicom) facts_[f]->group.clear();
    }
    describe(dicom, grouped);
  }

  void describe(const std::vector<std::size_t>& dicom, bool grouped) {
    std::map<DicomRule, std::size_t> rules;
    std::set<std::string> groups;
    std::set<std::pair<double, double>> windows;
    std::size_t by_study = 0, alone = 0, burned_in = 0, images = 0, readable = 0;
    double smallest = 0;
    for (const std::size_t f : dicom) {
      const Facts& facts = *facts_[f];
      if (!facts.readable) continue;
      ++readable;
      images += facts.frames;
      by_study += facts.from_study ? 1U : 0U;
      alone += facts.group.empty() ? 1U : 0U;
      burned_in += facts.burned_in ? 1U : 0U;
      smallest = std::min(smallest, facts.smallest);
      groups.insert(facts.group);
      for (const auto& [rule, frames] : facts.rules) rules[rule] += frames;
      windows.insert(facts.windows.begin(), facts.windows.end());
    }
    if (options_.dicom.window == DicomWindow::none) {
      offset_ = options_.dicom.low != 0 ? -options_.dicom.low : smallest < 0 ? 32768 : 0;
    }
    nlohmann::json record = {{"choice", options_.dicom.window == DicomWindow::file ? "file"
                                        : options_.dicom.window == DicomWindow::percentile
                                            ? "percentile"
                                        : options_.dicom.window == DicomWindow::fixed ? "fixed"
                                                                                      : "none"}};
    std::string said;
    for (const auto& [rule, frames] : rules) {
      record["images"][name_of(rule)] = frames;
      said += fmt::format("{}{}: {}", said.empty() ? "" : "; ", name_of(rule), frames);
    }
    if (options_.dicom.window == DicomWindow::fixed) {
      record["low"] = options_.dicom.low;
      record["high"] = options_.dicom.high;
    }
    if (options_.dicom.window == DicomWindow::none) record["added"] = offset_;
    preprocessing = nlohmann::json{{"dicom_window", record}}.dump();

    notes.push_back(fmt::format("{} images of {} DICOM files.", images, readable));
    if (!said.empty()) notes.push_back("Grey values by (images): " + said + ".");
    if (options_.dicom.window == DicomWindow::file && rules.size() > 1) {
      notes.push_back(
          "The images' grey values come from different rules, which a classifier can learn in "
          "place "
          "of the disease; --window percentile or --window LOW:HIGH treats all alike.");
    }
    if (windows.size() > 1) {
      notes.push_back(fmt::format(
          "The {} images with a window of the file have {} different ones, such as centre {} width "
          "{} and centre {} width {}: one value is not one grey; --window percentile or --window "
          "LOW:HIGH treats all alike.",
          rules[DicomRule::window], windows.size(), windows.begin()->first, windows.begin()->second,
          windows.rbegin()->first, windows.rbegin()->second));
    }
    if (burned_in > 0) {
      notes.push_back(fmt::format(
          "{}{} files say that text is burned into their pixels (BurnedInAnnotation = YES); "
          "it may name the patient: look at them.",
          kWarning, burned_in));
    }
    if (grouped) return;
    if (by_study > 0) {
      notes.push_back(fmt::format("{} files name no patient; their study is the group.", by_study));
    }
    if (alone > 0) {
      notes.push_back(
          fmt::format("{}{} files name neither patient nor study; each is its own group, so "
                      "a patient may be on both sides of a split.",
                      kWarning, alone));
    }
    if (readable > 1 && groups.size() == 1 && alone == 0) {
      notes.push_back(std::string(kWarning) +
                      "all DICOM files name the same patient; if that is not so, they were made "
                      "anonymous in a way that hides who belongs together.");
    }
  }

  using Place = std::pair<std::uint32_t, std::uint32_t>;  // file, frame
  Place place_of(std::size_t i) const {
    return facts_.empty() ? Place{static_cast<std::uint32_t>(i), 0} : images_[i];
  }

  FileTable files_;
  std::vector<std::optional<Facts>> facts_;  // by file, of DICOM files; empty where none is
  std::vector<Place> images_;                // where facts_ is not empty
  ImportOptions options_;
  std::optional<DicomReader> reader_;
  std::string key_;  // of group_name
  double offset_ = 0;
  mutable DecodedFiles decoded_;
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
