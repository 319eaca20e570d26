#include "bioptic/data/dicom_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/base/parallel.h"
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

const char* name_of(DicomWindow choice) {
  switch (choice) {
    case DicomWindow::file:
      return "file";
    case DicomWindow::percentile:
      return "percentile";
    case DicomWindow::fixed:
      return "fixed";
    case DicomWindow::none:
      return "none";
  }
  return "";
}

int threads_of(const ImportOptions& options) {
  return options.threads > 0 ? options.threads : available_processors();
}

}  // namespace

std::shared_ptr<DecodedFiles::Slot> DecodedFiles::slot_of(std::size_t file, std::size_t frames) {
  const std::lock_guard lock(mutex_);
  auto found =
      std::find_if(slots_.begin(), slots_.end(), [&](const auto& s) { return s->file == file; });
  if (found == slots_.end()) {
    slots_.push_front(std::make_shared<Slot>(file));
    if (slots_.size() > kept_) slots_.pop_back();
    found = slots_.begin();
  }
  std::shared_ptr<Slot> slot = *found;
  if (++slot->asked == frames) slots_.erase(found);
  return slot;
}

DicomFiles::DicomFiles(std::vector<std::filesystem::path> files, const ImportOptions& options,
                       bool grouped)
    : files_(std::move(files)),
      options_(options.dicom),
      max_pixels_(options.max_pixels),
      key_(group_key(options.dicom.group_key)),
      facts_(files_.size()),
      decoded_(std::max<std::size_t>(2, static_cast<std::size_t>(threads_of(options)))) {
  ThreadPool pool(threads_of(options));
  pool.run(files_.size(), [&](std::size_t f) {
    try {
      const DicomFile content = reader_.read_header(files_[f], max_pixels_);
      check_window(f, content);
      facts_[f] = facts_of(content);
    } catch (const InputError& e) {
      facts_[f].error = e.what();
    }
    if (grouped) facts_[f].group.clear();
  });
  describe(grouped);
}

ImageHeader DicomFiles::header(std::size_t file) const {
  if (!facts_[file].error.empty()) throw InputError(facts_[file].error);
  return facts_[file].header;
}

Image DicomFiles::load(std::size_t file, std::size_t frame) const {
  const Facts& facts = facts_[file];
  if (!facts.error.empty()) throw InputError(facts.error);
  const std::string& path = files_[file].native();
  const auto read = [&] { return reader_.read(files_[file], max_pixels_); };
  const auto content = facts.frames > 1 ? decoded_.get(file, facts.frames, read)
                                        : std::make_shared<const DicomFile>(read());
  if (frame >= content->frames.size()) {
    throw InputError(path + ": has fewer frames than when it was first read");
  }
  check_window(file, *content);
  Image image = dicom_image(*content, frame, options_, scale_);
  const std::uint64_t merged =
      image.losses[Loss::rounded_values] + image.losses[Loss::clipped_values];
  if (image.pixels.size() > 1 && merged == image.pixels.size() &&
      std::equal(image.pixels.begin() + 1, image.pixels.end(), image.pixels.begin())) {
    throw InputError(fmt::format(
        "{}: all its different values become one in 16 bits (RescaleSlope {}); choose --window "
        "percentile or --window LOW:HIGH",
        path, content->frames[frame].slope));
  }
  return image;
}

void DicomFiles::check_window(std::size_t file, const DicomFile& content) const {
  if (options_.window != DicomWindow::file || content.window_fault.empty()) return;
  throw InputError(files_[file].string() + ": " + content.window_fault +
                   "; --window percentile and --window LOW:HIGH do without it");
}

DicomFiles::Facts DicomFiles::facts_of(const DicomFile& file) const {
  Facts facts;
  facts.frames = file.frames.size();
  facts.header = {file.width, file.height, file.colour == DicomColour::rgb ? 3 : 1,
                  dicom_bits(file, options_)};
  facts.burned_in = file.burned_in;
  facts.colour_overruled = file.colour_overruled;
  facts.range = modality_range(file);
  if (!file.patient_id.empty()) {
    facts.group = group_name(key_, file.patient_id);
  } else if (!file.study_uid.empty()) {
    facts.group = group_name(key_, file.study_uid);
    facts.from_study = true;
  } else if (facts.frames > 1 && !file.instance_uid.empty()) {
    facts.group = group_name(key_, file.instance_uid);  // frames of one file belong together
  }
  for (std::size_t f = 0; f < file.frames.size() && file.colour != DicomColour::rgb; ++f) {
    const DicomRule rule = dicom_rule(file, f, options_);
    ++facts.rules[rule];
    if (rule == DicomRule::window) {
      facts.windows.emplace(file.frames[f].center, file.frames[f].width);
    }
  }
  return facts;
}

void DicomFiles::describe(bool grouped) {
  std::size_t images = 0, readable = 0, burned_in = 0, overruled = 0;
  DicomRange range;
  for (const Facts& facts : facts_) {
    if (!facts.error.empty()) continue;
    ++readable;
    images += facts.frames;
    burned_in += facts.burned_in ? 1U : 0U;
    overruled += facts.colour_overruled ? 1U : 0U;
    range.add(facts.range);
  }
  if (options_.window == DicomWindow::none) scale_ = dicom_scale(range, options_);
  notes.push_back(fmt::format("{} images of {} DICOM files.", images, readable));
  describe_windows();
  if (burned_in > 0) {
    notes.push_back(fmt::format(
        "{}{} files say that text is burned into their pixels (BurnedInAnnotation = YES); "
        "it may name the patient: look at them.",
        kWarning, burned_in));
  }
  if (overruled > 0) {
    notes.push_back(fmt::format(
        "{}{}: PhotometricInterpretation and the marks in the compressed pixels disagree "
        "about the colours (RGB or YCbCr); the pixels were followed.",
        kWarning, counted(overruled, "DICOM file")));
  }
  if (!grouped) describe_patients();
}

void DicomFiles::describe_windows() {
  std::map<DicomRule, std::size_t> rules;
  std::set<std::pair<double, double>> windows;
  for (const Facts& facts : facts_) {
    if (!facts.error.empty()) continue;
    for (const auto& [rule, frames] : facts.rules) rules[rule] += frames;
    windows.insert(facts.windows.begin(), facts.windows.end());
  }
  nlohmann::json record = {{"choice", name_of(options_.window)}};
  std::string said;
  for (const auto& [rule, frames] : rules) {
    record["images"][name_of(rule)] = frames;
    said += fmt::format("{}{}: {}", said.empty() ? "" : "; ", name_of(rule), frames);
  }
  if (options_.window == DicomWindow::fixed) {
    record["low"] = options_.low;
    record["high"] = options_.high;
  }
  const bool scaled = scale_.unit != 1 || scale_.zero != 0;
  if (options_.window == DicomWindow::none) {
    record["added"] = scale_.added;
    if (scaled) record.update({{"unit", scale_.unit}, {"zero", scale_.zero}});
  }
  preprocessing = nlohmann::json{{"dicom_window", record}}.dump();

  if (!said.empty()) notes.push_back("Grey values by (images): " + said + ".");
  if (scaled) {
    notes.push_back(fmt::format(
        "The files' rescale slopes are no whole numbers: the dataset's values are modality values "
        "in units of {} (modality value = (value - {}) x {} + {}; dicom_window in dataset.json).",
        scale_.unit, scale_.added, scale_.unit, scale_.zero));
  }
  if (options_.window == DicomWindow::file && rules.size() > 1) {
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
}

void DicomFiles::describe_patients() {
  std::set<std::string> groups;
  std::size_t by_study = 0, alone = 0, readable = 0;
  for (const Facts& facts : facts_) {
    if (!facts.error.empty()) continue;
    ++readable;
    by_study += facts.from_study ? 1U : 0U;
    alone += facts.group.empty() ? 1U : 0U;
    groups.insert(facts.group);
  }
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

}  // namespace bioptic
