#include "bioptic/study/study_images.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "bioptic/base/error.h"

namespace bioptic {

StudyImage StudyImages::operator[](std::size_t row) const {
  const Record& r = records_[row];
  return {{r.text, r.id}, splits_[r.split], {r.text + r.id, r.group}, r.label};
}

StudyImage StudyImages::at(std::size_t row) const {
  if (row >= size()) throw std::out_of_range("no such image");
  return (*this)[row];
}

void StudyImages::add(const StudyImage& image) {
  auto split = std::find(splits_.begin(), splits_.end(), image.split);
  if (split == splits_.end()) {
    if (splits_.size() > std::numeric_limits<std::uint8_t>::max()) {
      throw Failure("the images name more than 256 splits");
    }
    split = splits_.emplace(splits_.end(), image.split);
  }
  std::string both(image.id);
  both += image.group;
  const std::string_view text = texts_->add(both);
  // A label that is no class's is found out afterwards, also where it does not fit.
  const auto label = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(image.label, std::numeric_limits<std::int32_t>::min(),
                               std::numeric_limits<std::int32_t>::max()));
  records_.push_back({text.data(), static_cast<std::uint32_t>(image.id.size()),
                      static_cast<std::uint32_t>(image.group.size()), label,
                      static_cast<std::uint8_t>(split - splits_.begin())});
}

}  // namespace bioptic
