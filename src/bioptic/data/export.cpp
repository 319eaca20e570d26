#include "bioptic/data/export.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/parallel.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/data/csv.h"
#include "bioptic/data/npy.h"
#include "bioptic/data/png.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

// C x H x W to H x W x C.
template <typename T>
void interleave(std::span<const T> planes, std::size_t channels, std::vector<T>& out) {
  const std::size_t plane = planes.size() / channels;
  out.resize(planes.size());
  for (std::size_t p = 0; p < plane; ++p) {
    for (std::size_t c = 0; c < channels; ++c) out[p * channels + c] = planes[c * plane + p];
  }
}

void refuse_existing(const fs::path& target) {
  if (fs::exists(fs::symlink_status(target))) {
    throw InputError(target.string() + ": exists already; choose another name or remove it first");
  }
}

using Rows = std::vector<std::uint32_t>;

// An entry of the archive that is made while it is packed, so that memory stays small.
class Entry {
 public:
  Entry(const Dataset& dataset, Rows rows, bool labels)
      : dataset_(dataset), rows_(std::move(rows)) {
    const DatasetInfo& info = dataset.info();
    const std::size_t n = rows_.size();
    if (labels) {
      wide_label_ = info.classes.size() > 256;
      header_ = npy_header(wide_label_ ? "<i8" : "|u1", {n, 1});
      row_bytes_ = wide_label_ ? 8 : 1;
    } else {
      std::vector<std::size_t> shape = {n, static_cast<std::size_t>(info.height),
                                        static_cast<std::size_t>(info.width)};
      if (info.channels > 1) shape.push_back(static_cast<std::size_t>(info.channels));
      header_ = npy_header(info.dtype == PixelType::uint8 ? "|u1" : "<u2", shape);
      row_bytes_ = dataset.pixels_per_image() * (info.dtype == PixelType::uint8 ? 1 : 2);
    }
    labels_ = labels;
    size_ = header_.size() + n * row_bytes_;
  }

  std::size_t size() const { return size_; }
  void rewind() { at_ = 0; }
  std::size_t read(char* out, std::size_t wanted) {
    std::size_t given = 0;
    while (given < wanted && at_ < size_) {
      const std::string_view part = part_at(at_);
      const std::size_t n = std::min(part.size(), wanted - given);
      std::memcpy(out + given, part.data(), n);
      given += n;
      at_ += n;
    }
    return given;
  }

 private:
  // What stands at `at`, up to the end of the header or the row.
  std::string_view part_at(std::size_t at) {
    if (at < header_.size()) return std::string_view(header_).substr(at);
    const std::size_t row = (at - header_.size()) / row_bytes_;
    fill(rows_[row]);
    return std::string_view(row_).substr((at - header_.size()) % row_bytes_);
  }
  void fill(std::uint32_t row) {
    row_.resize(row_bytes_);
    if (labels_) {
      const std::int64_t label = dataset_.label(row);  // the first byte is the lowest
      std::memcpy(row_.data(), &label, row_bytes_);
      return;
    }
    const auto channels = static_cast<std::size_t>(dataset_.info().channels);
    if (dataset_.info().dtype == PixelType::uint8) {
      interleave(dataset_.image8(row), channels, narrow_);
      std::memcpy(row_.data(), narrow_.data(), row_bytes_);
    } else {
      interleave(dataset_.image16(row), channels, wide_);
      std::memcpy(row_.data(), wide_.data(), row_bytes_);
    }
  }

  const Dataset& dataset_;
  Rows rows_;
  bool labels_ = false, wide_label_ = false;
  std::string header_, row_;
  std::size_t row_bytes_ = 1, size_ = 0, at_ = 0;
  std::vector<std::uint8_t> narrow_;
  std::vector<std::uint16_t> wide_;
};

zip_int64_t serve(void* state, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto* entry = static_cast<Entry*>(state);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      entry->rewind();
      return 0;
    case ZIP_SOURCE_READ:
      return static_cast<zip_int64_t>(entry->read(static_cast<char*>(data), length));
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    case ZIP_SOURCE_STAT: {
      auto* stat = static_cast<zip_stat_t*>(data);
      zip_stat_init(stat);
      stat->size = entry->size();
      stat->valid = ZIP_STAT_SIZE;
      return sizeof(zip_stat_t);
    }
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(nullptr, data, length);
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                            ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    default:
      return -1;
  }
}

// Rows by split, in the order train, val, test; what names no split is train.
struct SplitRows {
  std::string name;
  Rows rows;
};
std::vector<SplitRows> rows_by_split(const Dataset& dataset, std::size_t& unnamed) {
  std::vector<SplitRows> splits = {{"train", {}}, {"val", {}}, {"test", {}}};
  unnamed = 0;
  for (std::uint32_t row = 0; row < dataset.size(); ++row) {
    const std::string_view split = dataset.record(row).split;
    unnamed += split.empty() ? 1U : 0U;
    splits[split == "val" ? 1 : split == "test" ? 2 : 0].rows.push_back(row);
  }
  std::erase_if(splits, [](const SplitRows& s) { return s.rows.empty(); });
  return splits;
}

struct ZipProgress {
  const Progress* progress;
  std::size_t images;
};

// Into a folder that is synced as a whole when it is put in place.
void write_plain(const fs::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) throw Failure(path.string() + ": cannot be written: " + std::strerror(errno));
}

// A class's name as a folder's name; two classes never share one.
std::vector<std::string> class_folders(const std::vector<std::string>& classes) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::string name = classes[c];
    for (char& letter : name) {
      const auto byte = static_cast<unsigned char>(letter);
      if (byte < 0x20 || byte == 0x7F || std::strchr("/\\:*?\"<>|", letter) != nullptr)
        letter = '_';
    }
    if (name.empty() || name.front() == '.' || name.size() > 200) name = fmt::format("class_{}", c);
    while (!taken.insert(name).second) name += "_" + std::to_string(c);
    names.push_back(name);
  }
  return names;
}

std::string png_of(const Dataset& dataset, std::size_t row) {
  const DatasetInfo& info = dataset.info();
  const auto channels = static_cast<std::size_t>(info.channels);
  if (info.dtype == PixelType::uint8) {
    std::vector<std::uint8_t> pixels;
    interleave(dataset.image8(row), channels, pixels);
    return png_bytes(info.width, info.height, info.channels, pixels);
  }
  std::vector<std::uint16_t> pixels;
  interleave(dataset.image16(row), channels, pixels);
  return png_bytes(info.width, info.height, info.channels, pixels);
}

}  // namespace

std::vector<std::string> export_npz(const Dataset& dataset, const fs::path& target,
                                    const Progress& progress) {
  refuse_existing(target);
  std::size_t unnamed = 0;
  const std::vector<SplitRows> splits = rows_by_split(dataset, unnamed);
  std::vector<std::unique_ptr<Entry>> entries;  // libzip reads them in zip_close
  const TemporaryFolder scratch(target);        // with libzip's own temporary file in it
  const fs::path temporary = scratch.path() / "archive";
  int error = 0;
  std::unique_ptr<zip_t, void (*)(zip_t*)> archive(
      zip_open(temporary.c_str(), ZIP_CREATE | ZIP_EXCL, &error), zip_discard);
  if (!archive) throw Failure(target.string() + ": cannot be written");
  for (const SplitRows& split : splits) {
    for (const bool labels : {false, true}) {
      entries.push_back(std::make_unique<Entry>(dataset, split.rows, labels));
      zip_source_t* source = zip_source_function(archive.get(), serve, entries.back().get());
      const std::string name = split.name + (labels ? "_labels.npy" : "_images.npy");
      const zip_int64_t index =
          source == nullptr ? -1 : zip_file_add(archive.get(), name.c_str(), source, 0);
      // The first time that a zip file can hold: the bytes do not depend on when they are written.
      if (index < 0 || zip_file_set_dostime(archive.get(), static_cast<zip_uint64_t>(index), 0,
                                            1 << 5 | 1, 0) != 0) {
        throw Failure(target.string() + ": cannot be packed: " + zip_strerror(archive.get()));
      }
    }
  }
  ZipProgress state{&progress, dataset.size()};
  if (progress) {
    zip_register_progress_callback_with_state(
        archive.get(), 0.001,
        [](zip_t*, double done, void* data) {
          const auto* s = static_cast<const ZipProgress*>(data);
          (*s->progress)(static_cast<std::size_t>(done * static_cast<double>(s->images)),
                         s->images);
        },
        nullptr, &state);
  }
  if (zip_close(archive.get()) != 0) {
    const std::string why = zip_strerror(archive.get());
    throw Failure(target.string() + ": cannot be written: " + why);
  }
  static_cast<void>(archive.release());  // closed
  commit_rename(temporary, target);

  std::vector<std::string> notes;
  std::string classes;
  for (std::size_t c = 0; c < dataset.info().classes.size(); ++c) {
    classes += fmt::format("{}{} = {}", c == 0 ? "" : ", ", c, dataset.info().classes[c]);
  }
  notes.push_back("Labels are numbers in this format: " + classes + ".");
  if (unnamed > 0) {
    notes.push_back(fmt::format("{} images of no named split are in train_images.", unnamed));
  }
  if (!dataset.info().groups_from.empty()) {
    notes.push_back("The format has no place for groups (patients): they are left out.");
  }
  if (dataset.info().weighted) {
    notes.push_back("The format has no place for weights: they are left out.");
  }
  return notes;
}

std::vector<std::string> export_png(const Dataset& dataset, const fs::path& target, int threads,
                                    const Progress& progress) {
  refuse_existing(target);
  const DatasetInfo& info = dataset.info();
  bool any_split = false, any_group = false;
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const ImageRecord record = dataset.record(row);
    any_split = any_split || !record.split.empty();
    any_group = any_group || !record.group.empty();
  }
  const std::vector<std::string> folders = class_folders(info.classes);
  TemporaryFolder scratch(target);
  const fs::path& temporary = scratch.path();

  std::vector<std::string> names(dataset.size());
  std::string manifest = std::string("path,label") + (any_split ? ",split" : "") +
                         (any_group ? ",group" : "") + (info.weighted ? ",weight" : "") + "\n";
  for (std::size_t row = 0; row < dataset.size(); ++row) {
    const ImageRecord record = dataset.record(row);
    const std::string split(record.split.empty() ? "train" : record.split);
    const auto label = static_cast<std::size_t>(record.label);
    // By its number, as its id is, and not by what a damaged index.csv says its id were.
    names[row] = fmt::format("{}{}/{:06}.png", any_split ? split + "/" : "", folders[label], row);
    manifest += csv_text(names[row]) + "," + csv_text(info.classes[label]);
    if (any_split) manifest += "," + split;
    if (any_group) manifest += "," + csv_text(record.group);
    if (info.weighted) manifest += fmt::format(",{}", record.weight);
    manifest += "\n";
    fs::create_directories((temporary / names[row]).parent_path());
  }
  ThreadPool pool(threads > 0 ? threads : available_processors());
  const std::size_t block = 16 * static_cast<std::size_t>(pool.threads());
  for (std::size_t begin = 0; begin < dataset.size(); begin += block) {
    const std::size_t n = std::min(block, dataset.size() - begin);
    pool.run(n, [&](std::size_t k) {
      write_plain(temporary / names[begin + k], png_of(dataset, begin + k));
    });
    if (progress) progress(begin + n, dataset.size());
  }
  write_plain(temporary / "manifest.csv", manifest);
  scratch.become(target);
  return {
      "manifest.csv lists the images with all that the dataset knows of them; bioptic data "
      "import " +
      (target / "manifest.csv").string() + " reads it."};
}

}  // namespace bioptic
