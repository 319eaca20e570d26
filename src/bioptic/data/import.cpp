#include "bioptic/data/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/sha256.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/audit.h"
#include "bioptic/data/file_list.h"
#include "bioptic/data/group_search.h"
#include "bioptic/data/resize.h"
#include "bioptic/data/source.h"
#include "bioptic/data/source_extent.h"
#include "bioptic/data/warning.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// Changes whenever the same folder or manifest would be read as other classes, splits or groups;
// part of a cached import's name.
constexpr int kListingVersion = 3;

// Images of a block per thread: enough to keep the threads busy.  Two blocks, the one being decoded
// and the one being written, bound the memory.
constexpr std::size_t kAhead = 8;

const char* name_of(Fit fit) {
  switch (fit) {
    case Fit::stretch:
      return "stretch";
    case Fit::pad:
      return "pad";
    case Fit::crop:
      return "crop";
  }
  return "";
}

// A problem with one image.
struct Bad {
  std::size_t item;
  std::string why;
};

// Images begin .. begin + errors.size() - 1; errors: what their body threw, "" = nothing.
struct Block {
  std::size_t begin = 0;
  std::vector<std::string> errors;
};

// Bytes of the images of a block that wait to be written, where one is not more.
constexpr std::size_t kWaitingBytes = std::size_t{1} << 29;

// bytes: of an image as it waits, 0 = none does.
std::size_t images_at_once(const ThreadPool& pool, std::size_t bytes = 0) {
  const std::size_t all = kAhead * static_cast<std::size_t>(pool.threads());
  return 2 * std::clamp(kWaitingBytes / std::max(bytes, std::size_t{1}), std::size_t{1}, all);
}

// Calls body(i, place) for every image in blocks on all threads, and after(block) once for every
// block in order, on any one thread, while the next block's images are at work.  place: below
// images_at_once(pool, bytes), an image's own until the `after` of its block has ended.  Returns
// the images whose body threw.
template <typename Body, typename After>
std::vector<Bad> for_images(ThreadPool& pool, std::size_t count, const Body& body,
                            const After& after, std::size_t bytes = 0) {
  std::vector<Bad> bad;
  const std::size_t block = images_at_once(pool, bytes) / 2;
  Block ended;
  for (std::size_t begin = 0; begin < count || !ended.errors.empty(); begin += block) {
    Block now{begin, std::vector<std::string>(begin < count ? std::min(block, count - begin) : 0)};
    const std::size_t others = ended.errors.empty() ? 0 : 1;  // parts before the images
    pool.run(others + now.errors.size(), [&](std::size_t part) {
      if (part < others) return after(ended);
      const std::size_t k = part - others;
      try {
        body(begin + k, (begin + k) % (2 * block));
      } catch (const InputError& e) {
        now.errors[k] = e.what();
      }
    });
    for (std::size_t k = 0; k < now.errors.size(); ++k) {
      if (!now.errors[k].empty()) bad.push_back({begin + k, now.errors[k]});
    }
    ended = std::move(now);
  }
  return bad;
}

void nothing_after(const Block&) {}

[[noreturn]] void throw_bad(const std::vector<Bad>& bad, std::size_t total) {
  throw InputError(fmt::format("{} ({} of {} images cannot be read; --skip-bad goes on without {})",
                               bad.front().why, bad.size(), total,
                               bad.size() == 1 ? "it" : "them"));
}

// " (first left out: ...)", for when nothing of a kind is left.
std::string first_of(const std::vector<std::string>& skipped) {
  return skipped.empty() ? "" : " (first left out: " + skipped.front() + ")";
}

// What all images become.
struct Target {
  int width = 0, height = 0, channels = 1, bits = 8;
};

// From the headers of all images and the options.  `usable` is cleared for images to be left out.
Target plan_target(const ImageSource& source, const ImportOptions& options, ThreadPool& pool,
                   std::vector<char>& usable, std::vector<std::string>& skipped,
                   std::vector<std::string>& notes) {
  std::vector<ImageHeader> headers(source.size());
  const std::vector<Bad> bad = for_images(
      pool, source.size(), [&](std::size_t i, std::size_t) { headers[i] = source.header(i); },
      nothing_after);
  if (!bad.empty() && !options.skip_bad) {
    // The rest is read only to count.  What failed counts, though it may be readable by now.
    std::vector<char> counted(source.size(), 0);
    for (const Bad& b : bad) counted[b.item] = 1;
    std::vector<Bad> all = for_images(
        pool, source.size(),
        [&](std::size_t i, std::size_t) {
          if (counted[i] != 0) return;
          source.header(i);
          source.load(i);
        },
        nothing_after);
    all.insert(all.end(), bad.begin(), bad.end());
    std::sort(all.begin(), all.end(), [](const Bad& a, const Bad& b) { return a.item < b.item; });
    throw_bad(all, source.size());
  }
  for (const Bad& b : bad) {
    usable[b.item] = 0;
    skipped.push_back(b.why);
  }
  Target target;
  std::size_t first = source.size(), shallow = 0, deep = 0, turned = 0, first_turned = 0;
  bool colour = false;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!usable[i]) continue;
    const ImageHeader& h = headers[i];
    if (first == source.size()) first = i;
    const ImageHeader& f = headers[first];
    if (!options.size && (h.width != f.width || h.height != f.height)) {
      throw InputError(fmt::format(
          "images differ in size: {} is {} x {}, {} is {} x {}; choose one for all with --size",
          source.place(first), f.width, f.height, source.place(i), h.width, h.height));
    }
    colour = colour || h.channels == 3;
    target.bits = std::max(target.bits, h.bits);
    ++(h.bits > 8 ? deep : shallow);
    if (h.orientation != 1 && turned++ == 0) first_turned = i;
  }
  if (first == source.size()) throw InputError("no image can be read" + first_of(skipped));
  if (const std::int64_t side = options.size.value_or(0); side * side > options.max_pixels) {
    throw InputError(
        fmt::format("--size {}: an image of it has {} pixels, more than the {} that --max-pixels "
                    "allows; choose "
                    "a smaller size, or allow more",
                    side, side * side, options.max_pixels));
  }
  target.width = options.size.value_or(headers[first].width);
  target.height = options.size.value_or(headers[first].height);
  target.channels = options.channels.value_or(colour ? 3 : 1);
  if (shallow > 0 && deep > 0) {
    notes.push_back(fmt::format(
        "{}{} images have 16 bits and {} have 8; the values of these were multiplied by 257, and a "
        "classifier can learn the difference in place of the disease.",
        kWarning, deep, shallow));
  }
  if (turned > 0) {
    notes.push_back(fmt::format(
        "{}{} images have an orientation tag that asks to turn or mirror them when they are shown; "
        "it is not followed, their pixels are taken as they are stored{}.",
        kWarning, turned,
        source.anonymous ? "" : " (the first is " + source.place(first_turned) + ")"));
  }
  return target;
}

// Decoded, in the target's channels, size and depth, planes one after the other (C x H x W).
std::vector<std::uint16_t> prepare(Image image, const Target& target, const ImportOptions& options,
                                   const std::string& place) {
  const bool resized = image.width != target.width || image.height != target.height;
  if ((resized && !options.size) || image.bits > target.bits) {
    throw InputError(place + ": was changed while it was read");  // since its header was
  }
  image = target.channels == 1 ? to_grey(std::move(image)) : to_rgb(std::move(image));
  if (resized) image = fit_square(image, target.width, options.fit);
  const std::uint16_t stretch = target.bits == 16 && image.bits == 8 ? 257 : 1;
  if (target.channels == 1 && stretch == 1) return std::move(image.pixels);
  const auto c = static_cast<std::size_t>(target.channels);
  const std::size_t plane = image.pixels.size() / c;
  std::vector<std::uint16_t> planes(image.pixels.size());
  for (std::size_t p = 0; p < plane; ++p) {
    for (std::size_t k = 0; k < c; ++k) {
      planes[k * plane + p] = static_cast<std::uint16_t>(image.pixels[p * c + k] * stretch);
    }
  }
  return planes;
}

// An image as the dataset stores it: one of the two, and what it lost on the way.
struct Ready {
  SourceShape shape;  // what it was
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint16_t> wide;
  Losses losses;
};

Ready ready_to_write(Image image, const Target& target, const ImportOptions& options,
                     const std::string& place) {
  Ready ready;
  ready.shape = shape_of(image);
  ready.losses = image.losses;
  ready.wide = prepare(std::move(image), target, options, place);
  if (target.bits > 8) return ready;
  ready.bytes.resize(ready.wide.size());
  std::transform(ready.wide.begin(), ready.wide.end(), ready.bytes.begin(),
                 [](std::uint16_t v) { return static_cast<std::uint8_t>(v); });
  ready.wide = {};
  return ready;
}

// Refuses a search that has no effect; its notes where the groups it finds are hardly patients.
std::vector<std::string> check_search(const ImageSource& source, const GroupSearch& search,
                                      const std::string& pattern) {
  if (!source.groups_from.empty()) {
    throw InputError("--group '" + pattern + "': the source names its groups itself (" +
                     source.groups_from + "); leave --group out");
  }
  const auto group_of = [&](std::size_t i) { return search.in(source.item(i).name); };
  std::size_t first = 0;
  while (first < source.size() && group_of(first).empty()) ++first;
  if (first == source.size()) {
    throw InputError(fmt::format(
        "--group '{}': matches none of {} file names; the first is '{}', in which '{}' is searched "
        "(the name without its folders)",
        pattern, source.size(), source.item(0).name,
        fs::path(source.item(0).name).filename().string()));
  }
  return group_notes(source.size(), source.classes, group_of,
                     [&](std::size_t i) { return static_cast<std::size_t>(source.item(i).label); });
}

// Arrays have no file names to search in.
void refuse_search(const ImportOptions& options) {
  if (options.group.empty()) return;
  throw InputError("--group '" + options.group +
                   "': arrays have no file names to search in; leave --group out (a manifest of "
                   "image files can name groups)");
}

// Names of classes stand in JSON, one on a line in models, and in every table.
void check_class_names(const std::vector<std::string>& classes) {
  for (const std::string& name : classes) {
    if (!is_utf8(name)) {
      throw InputError("the class name '" + as_utf8(name) + "' is not UTF-8; write it in UTF-8");
    }
    if (const std::size_t at = name.find_first_of("\n\r"); at != std::string::npos) {
      throw InputError("the name of the class that begins with '" + name.substr(0, at) +
                       "' holds a line break; rename it");
    }
  }
}
}  // namespace

ImportReport import_from(const ImageSource& source, const fs::path& folder,
                         const std::string& provenance_source, const ImportOptions& options,
                         const Progress& progress) {
  if (fs::exists(folder)) {
    throw InputError(folder.string() + ": exists already; choose another name or remove it first");
  }
  check_class_names(source.classes);
  const GroupSearch search(options.group, "--group");
  require_bounded(options.group, "--group");
  ThreadPool pool(options.threads > 0 ? options.threads : available_processors());
  ImportReport report;
  report.notes = source.notes;
  report.skipped = source.skipped;
  if (!options.group.empty()) {
    for (std::string& note : check_search(source, search, options.group)) {
      report.notes.push_back(std::move(note));
    }
  }
  std::vector<char> usable(source.size(), 1);
  const Target target = plan_target(source, options, pool, usable, report.skipped, report.notes);

  DatasetInfo info;
  info.dtype = target.bits == 8 ? PixelType::uint8 : PixelType::uint16;
  info.channels = target.channels;
  info.height = target.height;
  info.width = target.width;
  info.classes = source.classes;
  info.groups_from = source.groups_from;
  info.weighted = source.weighted;
  if (!options.group.empty()) {
    info.groups_from = "search '" + options.group + "' in the file name";
  }
  json preprocessing = {{"fit", options.size ? name_of(options.fit) : "none: sizes as the source"},
                        {"resampling", "area averaging when shrinking, bilinear when growing"},
                        {"bits", target.bits}};
  if (target.channels == 1) preprocessing["grey"] = "ITU-R 601 luma";
  if (!source.preprocessing.empty()) preprocessing.update(json::parse(source.preprocessing));
  if (!source.value_range.empty()) preprocessing["float_range"] = source.value_range;
  info.preprocessing = preprocessing.dump();

  DatasetWriter writer(folder, info);
  std::vector<std::size_t> per_class(source.classes.size());
  SourceExtent extent;
  LossTotal losses;
  losses.add(source.losses);
  const std::size_t bytes = static_cast<std::size_t>(target.width) *
                            static_cast<std::size_t>(target.height) *
                            static_cast<std::size_t>(target.channels) *
                            (target.bits == 8 ? sizeof(std::uint8_t) : sizeof(std::uint16_t));
  std::vector<Ready> ready(images_at_once(pool, bytes));
  bool writing = true;
  const std::vector<Bad> bad = for_images(
      pool, source.size(),
      [&](std::size_t i, std::size_t at) {
        ready[at] = {};
        if (usable[i]) ready[at] = ready_to_write(source.load(i), target, options, source.place(i));
      },
      [&](const Block& block) {
        for (std::size_t k = 0; k < block.errors.size(); ++k) {
          const std::size_t i = block.begin + k;
          // After a bad image the rest is read only to count, unless bad ones are left out.
          if (!block.errors[k].empty() && !options.skip_bad) writing = false;
          if (!block.errors[k].empty() || !usable[i] || !writing) continue;
          const SourceItem item = source.item(i);
          // A search may take a part of a character.
          const std::string group =
              options.group.empty() ? item.group : as_utf8(search.in(item.name));
          const ImageRecord record{{}, item.name, item.label, item.split, group, item.weight};
          const Ready& image = ready[i % ready.size()];
          extent.add(image.shape);
          if (target.bits == 8) {
            writer.add(std::span<const std::uint8_t>(image.bytes), record);
          } else {
            writer.add(std::span<const std::uint16_t>(image.wide), record);
          }
          losses.add(image.losses);
          ++per_class[static_cast<std::size_t>(item.label)];
        }
        if (progress) progress(block.begin + block.errors.size(), source.size());
      },
      bytes);
  if (!bad.empty() && !options.skip_bad) throw_bad(bad, source.size());
  for (const Bad& b : bad) report.skipped.push_back(b.why);
  writer.set_provenance(json_text({{"source", source.anonymous ? "DICOM files" : provenance_source},
                                   {"kind", source.kind},
                                   {"importer", kImporterVersion},
                                   {"losses", json::parse(losses.json())},
                                   {"skipped", report.skipped.size()},
                                   {kSourceExtentKey, json::parse(extent.text())}}));
  for (std::size_t c = 0; c < per_class.size(); ++c) {
    if (per_class[c] == 0) {
      throw InputError("class '" + source.classes[c] + "' has no image that can be read" +
                       first_of(report.skipped));
    }
  }
  for (std::string& warning : losses.warnings()) report.notes.push_back(std::move(warning));
  report.info = writer.finish();
  return report;
}

namespace {

void require_source(const fs::path& source) {
  std::error_code error;
  const fs::file_status status = fs::status(source, error);
  if (status.type() == fs::file_type::none) {  // a loop of links, a folder that may not be entered
    throw InputError(source.string() + ": cannot be opened: " + error.message());
  }
  if (!fs::exists(status)) {
    throw InputError(source.string() +
                     ": does not exist; expected a folder of class folders, a manifest (.csv), a "
                     ".npz file, or --class NAME=FILE.npy for arrays");
  }
}

}  // namespace

ImportReport import_source(const fs::path& source, const fs::path& folder,
                           const ImportOptions& options, const Progress& progress) {
  require_source(source);
  // Not the whole path: the folders above may name a person, and mean nothing to another reader.
  const fs::path normal = fs::absolute(source).lexically_normal();
  const std::string name =
      (normal.has_filename() ? normal : normal.parent_path()).filename().string();
  if (fs::is_directory(source)) {
    return import_from(*open_files(list_folder(source), options), folder, name, options, progress);
  }
  if (ending_of(source) == ".csv") {
    return import_from(*open_files(list_manifest(source, options.skip_bad), options), folder, name,
                       options, progress);
  }
  if (ending_of(source) == ".npz") {
    refuse_search(options);
    const TemporaryFolder scratch(folder);
    return import_from(*open_npz(source, scratch.path()), folder, name, options, progress);
  }
  throw InputError(source.string() + ": is neither a folder nor a manifest (.csv) nor a .npz file" +
                   (ending_of(source) == ".npy" ? "; for arrays give bioptic data import DST "
                                                  "--class NAME=FILE.npy --class ..."
                                                : ""));
}

ImportReport import_arrays(const std::vector<ClassFile>& files, const fs::path& folder,
                           const ImportOptions& options, const Progress& progress) {
  refuse_search(options);
  std::string names;
  for (const ClassFile& file : files) {
    if (!fs::exists(file.file)) throw InputError(file.file.string() + ": does not exist");
    names += (names.empty() ? "" : " ") + file.name + "=" + file.file.filename().string();
  }
  return import_from(*open_arrays(files), folder, names, options, progress);
}

std::vector<Original> import_for_audit(const fs::path& source, const fs::path& scratch,
                                       const ImportOptions& options, const Progress& progress) {
  require_source(source);
  std::unique_ptr<ImageSource> images;
  const TemporaryFolder unpacked(scratch);
  if (fs::is_directory(source)) {
    images = open_files(list_folder(source), options);
  } else if (ending_of(source) == ".csv") {
    images = open_files(list_manifest(source, options.skip_bad), options);
  } else if (ending_of(source) == ".npz") {
    images = open_npz(source, unpacked.path());
  } else {
    throw InputError(source.string() +
                     ": is neither a dataset nor a folder, a manifest (.csv) or a .npz file");
  }
  // By name, because images that cannot be read leave no row.
  std::unordered_map<std::string, Original> by_name;
  std::set<std::pair<int, int>> sizes;
  for (std::size_t i = 0; i < images->size(); ++i) {
    Original original;
    try {
      const ImageHeader header = images->header(i);
      original.width = header.width;
      original.height = header.height;
      sizes.emplace(header.width, header.height);
    } catch (const InputError&) {
      continue;  // the import below counts them, and throws unless bad ones are left out
    }
    original.format = ending_of(images->place(i));
    by_name.emplace(images->item(i).name, std::move(original));
  }
  ImportOptions chosen = options;
  if (sizes.size() > 1 && !chosen.size) chosen.size = 256;
  import_from(*images, scratch, source.string(), chosen, progress);
  const Dataset dataset = Dataset::open(scratch);
  std::vector<Original> originals(dataset.size());
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const std::string name(dataset.record(row).source);
    const auto original = by_name.find(name);
    if (original == by_name.end()) {
      throw InputError(name +
                       ": could not be read at first, and later could; it was changed, or its disk "
                       "fails: audit it again");
    }
    originals[row] = original->second;
  }
  if (ending_of(source) == ".npz") return {};  // its arrays have one size and no files
  return originals;
}

bool is_dataset(const fs::path& path) { return fs::exists(path / "dataset.json"); }

namespace {

// A study stores its source's path and file names.
void refuse_dicom(const FileTable& files, std::size_t i) {
  if (!files.dicom(i)) return;
  throw InputError(
      files.path(i).string() +
      ": is a DICOM file; a study takes those only as a dataset, so that no path or "
      "name gets into its records: run bioptic data import first and give the dataset");
}

}  // namespace

std::string source_hash(const fs::path& source, const ImportOptions& options) {
  require_source(source);
  Sha256 hash;
  const json key = {{"size", options.size.value_or(0)}, {"channels", options.channels.value_or(0)},
                    {"fit", name_of(options.fit)},      {"group", options.group},
                    {"skip_bad", options.skip_bad},     {"importer", kImporterVersion},
                    {"listing", kListingVersion}};
  const std::string text = key.dump();
  hash.update(text.data(), text.size());
  const auto add = [&](const std::string& name, const fs::path& file) {
    const std::string line = name + "\n" + sha256_file(file) + "\n";
    hash.update(line.data(), line.size());
  };
  if (fs::is_directory(source)) {
    const FileTable files = list_folder(source).files;
    std::vector<std::uint32_t> order(files.size());  // by the bytes of the names
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return files.name(a) < files.name(b); });
    for (std::size_t i = 0; i < files.size(); ++i) refuse_dicom(files, i);
    for (const std::uint32_t i : order) add(std::string(files.name(i)), files.path(i));
  } else if (ending_of(source) == ".csv") {
    add(source.filename().string(), source);
    const FileTable files = list_manifest(source, options.skip_bad).files;
    for (std::size_t i = 0; i < files.size(); ++i) {
      refuse_dicom(files, i);
      add(std::string(files.name(i)), files.path(i));
    }
  } else {
    add(source.filename().string(), source);
  }
  return hash.hex();
}

}  // namespace bioptic
