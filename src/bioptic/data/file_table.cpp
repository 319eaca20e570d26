#include "bioptic/data/file_table.h"

#include <algorithm>
#include <cstring>

namespace bioptic {
namespace {

// -1, 0 or 1, see FileTable::sort.
int compare_names(std::string_view a, std::string_view b) {
  const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at_a == a.end() || at_b == b.end()) return at_b != b.end() ? -1 : at_a != a.end() ? 1 : 0;
  const auto rank = [](char c) {
    return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c));
  };
  return rank(*at_a) < rank(*at_b) ? -1 : 1;
}

}  // namespace

std::string_view TextStore::add(std::string_view text) {
  if (text.size() > left_) {
    const std::size_t block = std::max(kBlock, text.size());
    blocks_.push_back(std::make_unique<char[]>(block));
    left_ = block;
    if (block > kBlock) {  // a giant has a block of its own
      std::memcpy(blocks_.back().get(), text.data(), text.size());
      left_ = 0;
      return {blocks_.back().get(), text.size()};
    }
  }
  char* const at = blocks_.empty() ? nullptr : blocks_.back().get() + (kBlock - left_);
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  left_ -= text.size();
  return {at, text.size()};
}

void FileTable::add(const SourceItem& item, bool dicom) {
  auto split = std::find(splits_.begin(), splits_.end(), item.split);
  if (split == splits_.end()) split = splits_.insert(splits_.end(), item.split);
  const std::string_view text = texts_.add(item.name + item.group);
  records_.push_back({text.data(), static_cast<std::uint32_t>(item.name.size()),
                      static_cast<std::uint32_t>(item.group.size()),
                      static_cast<std::uint32_t>(item.label),
                      static_cast<std::uint8_t>(split - splits_.begin()), dicom, item.weight});
}

ListedFile FileTable::operator[](std::size_t i) const {
  const Record& r = records_[i];
  ListedFile file;
  file.path = path(i);
  file.item = {std::string(name(i)), r.label, splits_[r.split],
               std::string(r.text + r.name, r.group), r.weight};
  file.dicom = r.dicom;
  return file;
}

void FileTable::sort(std::size_t first) {
  std::sort(records_.begin() + static_cast<std::ptrdiff_t>(first), records_.end(),
            [](const Record& a, const Record& b) {
              return compare_names({a.text, a.name}, {b.text, b.name}) < 0;
            });
}

}  // namespace bioptic
