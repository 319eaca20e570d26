#include "bioptic/data/unchanged.h"

#include <sys/stat.h>

#include <array>

#include "bioptic/base/error.h"

namespace bioptic {
namespace {

constexpr std::array kMapped = {"images.npy", "labels.npy", "index.csv"};

bool has_hash(const std::filesystem::path& folder, const std::string& hash) {
  try {
    return Dataset::open(folder, true).info().content_hash == hash;
  } catch (const InputError&) {
    return false;
  }
}

}  // namespace

UnchangedDataset::Stamp UnchangedDataset::stamp_of(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

UnchangedDataset::UnchangedDataset(const Dataset& dataset) : dataset_(dataset) {
  for (const char* name : kMapped) stamps_.push_back(stamp_of(dataset.folder() / name));
}

void UnchangedDataset::require() const {
  for (std::size_t f = 0; f < kMapped.size(); ++f) {
    const std::filesystem::path file = dataset_.folder() / kMapped[f];
    const Stamp now = stamp_of(file);
    if (now == stamps_[f] || now.inode != stamps_[f].inode) continue;
    if (has_hash(dataset_.folder(), dataset_.info().content_hash)) continue;
    throw Failure(
        file.string() +
        ": was changed while it was read, so that nothing made from it can be kept; import "
        "the source again");
  }
}

}  // namespace bioptic
