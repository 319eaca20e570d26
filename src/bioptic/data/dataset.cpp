#include "bioptic/data/dataset.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/files.h"
#include "bioptic/base/json_integer.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/nesting.h"
#include "bioptic/base/sha256.h"
#include "bioptic/base/temporary_folder.h"
#include "bioptic/data/csv.h"
#include "bioptic/data/npy.h"

namespace bioptic {
namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr std::size_t kColumns = 6;  // the last, weight, only where info.weighted
constexpr std::string_view kHeaderLine = "id,source,class,split,group";
constexpr std::string_view kWeightColumn = ",weight";
constexpr int kUnweightedVersion = 1;

std::string header_line(const DatasetInfo& info) {
  return std::string(kHeaderLine) + std::string(info.weighted ? kWeightColumn : "");
}

// A number above 0, or an empty optional.
std::optional<double> weight_of(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || !std::isfinite(value) || value <= 0) return {};
  return value;
}

const char* dtype_name(PixelType type) { return type == PixelType::uint8 ? "uint8" : "uint16"; }

json parse_object(const std::string& text) {
  return text.empty() ? json::object() : json::parse(text);
}

constexpr const char* kDescriptionHash = "description_sha256";

// SHA-256 of dataset.json itself, without the key that holds it.
std::string description_hash(json description) {
  description.erase(kDescriptionHash);
  return sha256_hex(json_text(description));
}

DatasetInfo read_info(const fs::path& file) {
  if (!fs::exists(file)) {
    throw InputError(file.parent_path().string() +
                     ": is not a dataset (it has no dataset.json); make one with: bioptic data "
                     "import SOURCE " +
                     file.parent_path().string());
  }
  try {
    const std::string text = read_file(file);
    if (nested_too_deeply(text)) {
      throw InputError(file.string() + ": is not a dataset's description: it is nested too deeply");
    }
    const json j = json::parse(text);
    const int version = integer<int>(j.at("format_version"));
    if (version < kUnweightedVersion) {
      throw InputError(file.string() + ": there is no format version " + std::to_string(version) +
                       "; import the source again");
    }
    if (version > kDatasetFormatVersion) {
      throw InputError(file.string() + ": format version " + std::to_string(version) +
                       " is newer than this program's " + std::to_string(kDatasetFormatVersion) +
                       "; update bioptic");
    }
    // Older programs wrote none.
    if (const auto said = j.find(kDescriptionHash);
        said != j.end() && *said != description_hash(j)) {
      throw InputError(
          file.string() +
          ": has not the SHA-256 that stands in it; it was changed or damaged since it "
          "was written: import the source again");
    }
    DatasetInfo info;
    const std::string dtype = j.at("dtype").get<std::string>();
    if (dtype != "uint8" && dtype != "uint16") {
      throw InputError(file.string() + ": dtype '" + dtype + "' is neither uint8 nor uint16");
    }
    info.dtype = dtype == "uint8" ? PixelType::uint8 : PixelType::uint16;
    info.images = integer<std::size_t>(j.at("images"));
    info.channels = integer<int>(j.at("channels"));
    info.height = integer<int>(j.at("height"));
    info.width = integer<int>(j.at("width"));
    info.classes = j.at("classes").get<std::vector<std::string>>();
    info.groups_from = j.value("groups_from", "");
    info.weighted = version > kUnweightedVersion && j.value("weighted", false);
    info.preprocessing = j.value("preprocessing", json::object()).dump();
    info.provenance = j.value("provenance", json::object()).dump();
    info.content_hash = j.at("content_sha256").get<std::string>();
    return info;
  } catch (const json::exception& e) {
    throw InputError(file.string() + ": is not a dataset's description: " + e.what());
  }
}

// What the content hash begins with: everything that gives the bytes their meaning.
std::string hash_prefix(const DatasetInfo& info) {
  const json j = {{"dtype", dtype_name(info.dtype)},
                  {"channels", info.channels},
                  {"height", info.height},
                  {"width", info.width},
                  {"classes", info.classes}};
  return j.dump() + "\n";
}

void check_array(const NpyHeader& header, const MappedFile& file, const fs::path& path,
                 const std::vector<std::size_t>& shape, const std::string& dtype) {
  check_npy_size(header, file.size(), path.string());
  if (header.shape != shape || header.dtype() != dtype || header.fortran || header.big_endian) {
    std::string wanted, found;
    for (const std::size_t d : shape) wanted += " " + std::to_string(d);
    for (const std::size_t d : header.shape) found += " " + std::to_string(d);
    throw InputError(path.string() + ": dataset.json promises " + dtype + " of shape" + wanted +
                     ", the file has " + header.dtype() + " of shape" + found +
                     "; import the source again");
  }
}

}  // namespace

struct Dataset::State {
  fs::path folder;
  DatasetInfo info;
  MappedFile images, labels, index;
  std::size_t images_offset = 0, labels_offset = 0;
  bool any_order = false;            // see read_in_any_order()
  std::vector<std::uint64_t> lines;  // offset of every row of index.csv
  std::map<std::size_t, std::array<std::string, kColumns>> quoted;  // the few rows with quotes

  std::string_view index_text() const {
    return {reinterpret_cast<const char*>(index.data()), index.size()};
  }
  std::int64_t label(std::size_t row) const {
    std::int64_t value = 0;
    std::memcpy(&value, labels.data() + labels_offset + 8 * row, 8);
    return value;
  }
  std::array<std::string_view, kColumns> fields(std::size_t row) const {
    std::array<std::string_view, kColumns> out;
    if (const auto it = quoted.find(row); it != quoted.end()) {
      for (std::size_t c = 0; c < kColumns; ++c) out[c] = it->second[c];
      return out;
    }
    std::string_view rest = index_text().substr(lines[row]);
    rest = rest.substr(0, rest.find('\n'));
    if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
    for (std::size_t c = 0; c < kColumns; ++c) {
      const std::size_t comma = rest.find(',');
      out[c] = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return out;
  }
  void read_index(const fs::path& path);
  void read_in_any_order();
  void about_to_read(const std::uint8_t* pixels, std::size_t bytes) const;
};

// Training reads images in any order.  Where they may not all fit in the memory, the system is not
// to read ahead on its own, which may be megabytes around every image; it is told instead which
// image is next.
void Dataset::State::read_in_any_order() {
  constexpr std::size_t kManyBytes = std::size_t{1} << 30;
  if (images.size() < kManyBytes) return;
  any_order = ::madvise(const_cast<std::uint8_t*>(images.data()), images.size(), MADV_RANDOM) == 0;
}

void Dataset::State::about_to_read(const std::uint8_t* pixels, std::size_t bytes) const {
  if (!any_order) return;
  constexpr std::size_t kPage = 4096;
  const std::size_t begin = static_cast<std::size_t>(pixels - images.data()) / kPage * kPage;
  const std::size_t end = static_cast<std::size_t>(pixels - images.data()) + bytes;
  // Advice: where it is not taken, the image is read page by page.
  ::madvise(const_cast<std::uint8_t*>(images.data()) + begin, end - begin, MADV_WILLNEED);
}

// Finds the rows and holds each against labels.npy.
void Dataset::State::read_index(const fs::path& path) {
  const std::string_view text = index_text();
  const std::string name = path.string();
  std::size_t at = 0, line = 1;
  const std::vector<std::string> header = csv_record(text, at, name, line);
  std::string joined;
  for (const std::string& h : header) joined += (joined.empty() ? "" : ",") + h;
  if (joined != header_line(info)) {
    throw InputError(name + ":1: expected the columns " + header_line(info));
  }
  const std::size_t columns = header.size();
  lines.reserve(info.images);  // as many as labels.npy holds
  while (at < text.size()) {
    const std::size_t begin = at;
    ++line;
    const std::vector<std::string> record = csv_record(text, at, name, line);
    if (record.size() != columns) {
      throw InputError(name + ":" + std::to_string(line) + ": expected " + std::to_string(columns) +
                       " columns, found " + std::to_string(record.size()));
    }
    if (info.weighted && !weight_of(record.back())) {
      throw InputError(name + ":" + std::to_string(line) + ": the weight '" + record.back() +
                       "' is no positive number");
    }
    const std::size_t row = lines.size();
    if (row >= info.images) break;
    if (!record[3].empty() && record[3] != "train" && record[3] != "val" && record[3] != "test") {
      throw InputError(name + ":" + std::to_string(line) + ": '" + record[3] +
                       "' is no split; expected train, val, test or nothing");
    }
    if (text.substr(begin, at - begin).find('"') != std::string_view::npos) {
      auto& fields_of = quoted[row];
      for (std::size_t c = 0; c < columns; ++c) fields_of[c] = record[c];
    }
    lines.push_back(begin);
    const std::int64_t l = label(row);
    if (l < 0 || static_cast<std::size_t>(l) >= info.classes.size() ||
        info.classes[static_cast<std::size_t>(l)] != record[2]) {
      throw InputError(name + ":" + std::to_string(line) + ": class '" + record[2] +
                       "' does not fit label " + std::to_string(l) + " in labels.npy");
    }
  }
  if (lines.size() != info.images || at < text.size()) {
    throw InputError(name + ": has not the " + std::to_string(info.images) +
                     " rows that dataset.json promises");
  }
}

Dataset Dataset::open(const fs::path& folder, bool verify) {
  auto state = std::make_shared<State>();
  state->folder = folder;
  state->info = read_info(folder / "dataset.json");
  const DatasetInfo& info = state->info;
  if (info.channels < 1 || info.height < 1 || info.width < 1 || info.classes.empty()) {
    throw InputError((folder / "dataset.json").string() +
                     ": a size is below 1 or no class is named");
  }
  const auto extent = [](int n) { return static_cast<std::size_t>(n); };
  state->images = MappedFile(folder / "images.npy");
  state->labels = MappedFile(folder / "labels.npy");
  state->index = MappedFile(folder / "index.csv");
  const NpyHeader images = parse_npy_header(state->images.data(), state->images.size(),
                                            (folder / "images.npy").string());
  check_array(images, state->images, folder / "images.npy",
              {info.images, extent(info.channels), extent(info.height), extent(info.width)},
              dtype_name(info.dtype));
  const NpyHeader labels = parse_npy_header(state->labels.data(), state->labels.size(),
                                            (folder / "labels.npy").string());
  check_array(labels, state->labels, folder / "labels.npy", {info.images}, "int64");
  state->images_offset = images.data_offset;
  state->labels_offset = labels.data_offset;
  state->read_index(folder / "index.csv");

  if (verify) {
    Sha256 hash;
    const std::string prefix = hash_prefix(info);
    hash.update(prefix.data(), prefix.size());
    hash.update(state->images.data() + images.data_offset, images.elements() * images.item);
    hash.update(state->labels.data() + labels.data_offset, labels.elements() * labels.item);
    hash.update(state->index.data(), state->index.size());
    const std::string found = hash.hex();
    if (found != info.content_hash) {
      throw InputError(folder.string() + ": its content has the SHA-256 " + found.substr(0, 16) +
                       ", and dataset.json records " + info.content_hash.substr(0, 16) +
                       "; it was changed or damaged since it was written: import the source again");
    }
  }
  state->read_in_any_order();
  Dataset dataset;
  dataset.state_ = std::move(state);
  return dataset;
}

const fs::path& Dataset::folder() const { return state_->folder; }
const DatasetInfo& Dataset::info() const { return state_->info; }
std::size_t Dataset::pixels_per_image() const {
  return static_cast<std::size_t>(info().channels) * static_cast<std::size_t>(info().height) *
         static_cast<std::size_t>(info().width);
}
std::int64_t Dataset::label(std::size_t row) const { return state_->label(row); }

ImageRecord Dataset::record(std::size_t row) const {
  const auto fields = state_->fields(row);
  const double weight = info().weighted ? weight_of(fields[5]).value_or(1) : 1;
  return {fields[0], fields[1], label(row), fields[3], fields[4], weight};
}

std::span<const std::uint8_t> Dataset::image8(std::size_t row) const {
  if (info().dtype != PixelType::uint8) throw std::logic_error("the dataset is not uint8");
  const std::size_t n = pixels_per_image();
  const std::uint8_t* const pixels = state_->images.data() + state_->images_offset + row * n;
  state_->about_to_read(pixels, n);
  return {pixels, n};
}

std::span<const std::uint16_t> Dataset::image16(std::size_t row) const {
  if (info().dtype != PixelType::uint16) throw std::logic_error("the dataset is not uint16");
  const std::size_t n = pixels_per_image();
  const std::uint8_t* const pixels = state_->images.data() + state_->images_offset + 2 * row * n;
  state_->about_to_read(pixels, 2 * n);
  return {reinterpret_cast<const std::uint16_t*>(pixels), n};
}

// ------------------------------------------------------------------------------------------ writer

// What a .npy header takes, whatever the number of images.
constexpr std::size_t kHeaderBytes = 128;

struct DatasetWriter::State {
  State(fs::path place, DatasetInfo what)
      : folder(std::move(place)), temporary(folder), info(std::move(what)) {
    info.images = 0;
  }
  ~State() {
    if (images_fd >= 0) ::close(images_fd);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  fs::path folder;
  TemporaryFolder temporary;  // goes after the streams are closed
  DatasetInfo info;
  std::ofstream images, labels, index;
  Sha256 hash;  // of the prefix and the pixels; labels and index.csv follow in finish()

  std::string images_header(std::size_t n) const {
    return npy_header(info.dtype == PixelType::uint8 ? "|u1" : "<u2",
                      {n, static_cast<std::size_t>(info.channels),
                       static_cast<std::size_t>(info.height), static_cast<std::size_t>(info.width)},
                      kHeaderBytes);
  }
  std::string labels_header(std::size_t n) const { return npy_header("<i8", {n}, kHeaderBytes); }
  void open(std::ofstream& stream, const char* name, const std::string& header) const {
    stream.open(temporary.path() / name, std::ios::binary);
    stream << header;
    require(stream, name);
  }
  // Throws Failure after a write that did not succeed.
  void require(const std::ofstream& stream, const char* name) const {
    if (!stream) {
      throw Failure((folder / name).string() + ": cannot be written: " + std::strerror(errno));
    }
  }
  // Puts the header with the number of images over the one from the beginning, and closes.
  void finish(std::ofstream& stream, const char* name, const std::string& header) const {
    if (header.size() != kHeaderBytes)
      throw Failure(std::string(name) + ": the header outgrew its place");
    stream.seekp(0);
    stream << header;
    stream.close();
    require(stream, name);
  }
  void write_back(std::size_t bytes);
  void add(const void* pixels, std::size_t bytes, const ImageRecord& record);

  // images.npy once more, to tell the system to begin with what will be synced at the end.
  int images_fd = -1;
  std::size_t not_begun = 0;  // bytes
};

DatasetWriter::DatasetWriter(const fs::path& folder, const DatasetInfo& info) {
  if (fs::exists(folder)) {
    throw InputError(folder.string() + ": exists already; choose another name or remove it first");
  }
  state_ = std::make_unique<State>(folder, info);
  State& s = *state_;
  s.open(s.images, "images.npy", s.images_header(0));
  s.open(s.labels, "labels.npy", s.labels_header(0));
  s.open(s.index, "index.csv", header_line(info) + "\n");
  const std::string prefix = hash_prefix(info);
  s.hash.update(prefix.data(), prefix.size());
}

DatasetWriter::~DatasetWriter() = default;

// Whether it works or not, finish() syncs everything.
void DatasetWriter::State::write_back(std::size_t bytes) {
  constexpr std::size_t kPiece = std::size_t{8} << 20;
  not_begun += bytes;
  if (not_begun < kPiece) return;
  const fs::path file = temporary.path() / "images.npy";
  if (images_fd < 0) images_fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (images_fd >= 0) ::sync_file_range(images_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  not_begun = 0;
}

void DatasetWriter::State::add(const void* pixels, std::size_t bytes, const ImageRecord& record) {
  if (record.label < 0 || static_cast<std::size_t>(record.label) >= info.classes.size()) {
    throw InputError(std::string(record.source) + ": label " + std::to_string(record.label) +
                     " is not in 0.." + std::to_string(info.classes.size() - 1));
  }
  images.write(static_cast<const char*>(pixels), static_cast<std::streamsize>(bytes));
  require(images, "images.npy");
  write_back(bytes);
  hash.update(pixels, bytes);
  labels.write(reinterpret_cast<const char*>(&record.label), sizeof record.label);
  require(labels, "labels.npy");
  std::string id = std::to_string(info.images++);
  if (id.size() < 6) id.insert(0, 6 - id.size(), '0');
  std::string line = id + "," + csv_field(record.source) + "," +
                     csv_field(info.classes[static_cast<std::size_t>(record.label)]) + "," +
                     csv_field(record.split) + "," + csv_field(record.group);
  if (info.weighted) {
    std::array<char, 32> digits{};  // the shortest text that reads back as the same number
    line += ',';
    line.append(digits.data(),
                std::to_chars(digits.data(), digits.data() + digits.size(), record.weight).ptr);
  }
  line += '\n';
  index << line;
  require(index, "index.csv");
}

void DatasetWriter::add(std::span<const std::uint8_t> pixels, const ImageRecord& record) {
  state_->add(pixels.data(), pixels.size(), record);
}
void DatasetWriter::add(std::span<const std::uint16_t> pixels, const ImageRecord& record) {
  state_->add(pixels.data(), 2 * pixels.size(), record);
}

void DatasetWriter::set_provenance(const std::string& text) { state_->info.provenance = text; }

DatasetInfo DatasetWriter::finish() {
  State& s = *state_;
  s.finish(s.images, "images.npy", s.images_header(s.info.images));
  s.finish(s.labels, "labels.npy", s.labels_header(s.info.images));
  s.index.close();
  s.require(s.index, "index.csv");
  const fs::path& temporary = s.temporary.path();
  const MappedFile labels(temporary / "labels.npy"), index(temporary / "index.csv");
  s.hash.update(labels.data() + kHeaderBytes, labels.size() - kHeaderBytes);
  s.hash.update(index.data(), index.size());
  s.info.content_hash = s.hash.hex();

  json j = {{"format_version", s.info.weighted ? kDatasetFormatVersion : kUnweightedVersion},
            {"dtype", dtype_name(s.info.dtype)},
            {"images", s.info.images},
            {"channels", s.info.channels},
            {"height", s.info.height},
            {"width", s.info.width},
            {"classes", s.info.classes},
            {"groups_from", s.info.groups_from},
            {"preprocessing", parse_object(s.info.preprocessing)},
            {"provenance", parse_object(s.info.provenance)},
            {"content_sha256", s.info.content_hash}};
  if (s.info.weighted) j["weighted"] = true;
  j[kDescriptionHash] = description_hash(j);
  write_file(temporary / "dataset.json", json_text(j, 2) + "\n");
  s.temporary.become(s.folder);
  return s.info;
}

}  // namespace bioptic
