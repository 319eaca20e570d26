#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "bioptic/base/error.h"
#include "bioptic/base/utf8.h"
#include "bioptic/data/npy.h"
#include "bioptic/data/source.h"

namespace bioptic {
namespace fs = std::filesystem;

// In array_source.cpp: the source over unpacked arrays by name.
std::unique_ptr<ImageSource> open_npz_arrays(const std::map<std::string, fs::path>& arrays,
                                             const std::string& name);

namespace {

// Before anything is unpacked: the .npy header and the archive must promise the same, and the disk
// must have room for it.
void check_promise(std::size_t promised, zip_uint64_t listed, const std::string& name,
                   const fs::path& scratch) {
  if (promised != listed) {
    throw InputError(
        fmt::format("{}: is damaged: its .npy header promises {} bytes, the archive lists {}", name,
                    promised, listed));
  }
  std::error_code error;
  const fs::space_info space = fs::space(scratch, error);
  if (!error && promised > space.available) {
    throw InputError(fmt::format("{}: unpacks to {} bytes, and {} has room for {}", name, promised,
                                 scratch.parent_path().string(), space.available));
  }
}

// Unpacks one entry.  What is written is bounded by what the entry's own .npy header promises, so a
// zip bomb ends in an error, not in a full disk.
void unpack(zip_t* archive, zip_uint64_t index, const std::string& name, const fs::path& target) {
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> entry(zip_fopen_index(archive, index, 0),
                                                                zip_fclose);
  if (!entry) throw InputError(name + ": cannot be unpacked: " + zip_strerror(archive));
  zip_stat_t listed;
  if (zip_stat_index(archive, index, 0, &listed) != 0 || (listed.valid & ZIP_STAT_SIZE) == 0) {
    throw InputError(name + ": is damaged: the archive does not list its size");
  }
  std::vector<std::uint8_t> block(1U << 20);
  std::ofstream out(target, std::ios::binary);
  std::size_t total = 0, promised = 0;
  while (true) {
    const zip_int64_t n = zip_fread(entry.get(), block.data(), block.size());
    if (n < 0) throw InputError(name + ": is damaged: " + zip_file_strerror(entry.get()));
    if (n == 0) break;
    const auto bytes = static_cast<std::size_t>(n);
    if (total == 0) {
      const NpyHeader header = parse_npy_header(block.data(), bytes, name);
      promised = header.data_offset + header.elements() * header.item;
      check_promise(promised, listed.size, name, target.parent_path());
    }
    total += bytes;
    if (total > promised) {
      throw InputError(
          fmt::format("{}: unpacks to more than the {} bytes its header promises", name, promised));
    }
    out.write(reinterpret_cast<const char*>(block.data()), n);
    if (!out) throw Failure(target.string() + ": cannot be written (disk full?)");
  }
  if (total == 0 || total < promised) throw InputError(name + ": is cut off");
}

// The names of an array in MedMNIST's files, and in Keras's.
struct ArrayName {
  std::string_view name, keras;
};
constexpr std::array<ArrayName, 6> kArrays = {{{"train_images", "x_train"},
                                               {"train_labels", "y_train"},
                                               {"val_images", "x_val"},
                                               {"val_labels", "y_val"},
                                               {"test_images", "x_test"},
                                               {"test_labels", "y_test"}}};

// What an archive holds.
struct Members {
  std::map<std::string, zip_uint64_t> arrays;  // by MedMNIST's names
  std::string others;                          // the names of the rest, as a list
};

Members members_of(zip_t* archive) {
  std::map<std::string, zip_uint64_t> all;
  const zip_int64_t entries = zip_get_num_entries(archive, 0);
  for (zip_int64_t k = 0; k < entries; ++k) {
    const auto index = static_cast<zip_uint64_t>(k);
    const char* const entry = zip_get_name(archive, index, 0);
    std::string name = entry == nullptr ? "" : entry;
    if (name.ends_with(".npy")) name.resize(name.size() - std::string_view(".npy").size());
    all[name] = index;  // one that was saved twice is there twice; the last counts, as for NumPy
  }
  Members out;
  const bool keras = std::none_of(kArrays.begin(), kArrays.end(), [&](const ArrayName& array) {
    return all.contains(std::string(array.name));
  });
  for (const ArrayName& array : kArrays) {
    const auto found = all.find(std::string(keras ? array.keras : array.name));
    if (found == all.end()) continue;
    out.arrays[std::string(array.name)] = found->second;
    all.erase(found);
  }
  for (const auto& [name, index] : all) {
    out.others += (out.others.empty() ? "" : ", ") + as_utf8(name);
  }
  return out;
}

}  // namespace

std::unique_ptr<ImageSource> open_npz(const fs::path& file, const fs::path& scratch) {
  if (!fs::is_regular_file(file)) throw InputError(file.string() + ": is not a regular file");
  int error = 0;
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(zip_open(file.c_str(), ZIP_RDONLY, &error),
                                                         zip_discard);
  if (!archive) {
    zip_error_t reason;
    zip_error_init_with_code(&reason, error);
    const std::string why = zip_error_strerror(&reason);
    zip_error_fini(&reason);
    throw InputError(file.string() + ": cannot be opened as .npz: " + why);
  }
  const Members members = members_of(archive.get());
  std::map<std::string, fs::path> arrays;
  for (const auto& [array, index] : members.arrays) {
    const fs::path target = scratch / (array + ".npy");
    unpack(archive.get(), index, file.string() + ":" + array, target);
    arrays[array] = target;
  }
  if (arrays.empty()) {
    throw InputError(file.string() +
                     ": holds none of MedMNIST's arrays (train_images, train_labels, val_images, "
                     "val_labels, test_images, test_labels)" +
                     (members.others.empty() ? "" : "; it has " + members.others));
  }
  std::unique_ptr<ImageSource> source = open_npz_arrays(arrays, file.filename().string());
  if (!members.others.empty()) {
    source->notes.push_back("Arrays that are not used: " + members.others + ".");
  }
  return source;
}

}  // namespace bioptic
