// A study's images, as tables and figures name them, in little memory: 24 bytes each beside the
// text of the name and the group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/file_table.h"

namespace bioptic {

// Its texts live as long as the StudyImages it was taken from.
struct StudyImage {
  std::string_view id, split, group;  // split: as planned for seed 0: train, val, test, holdout
  std::int64_t label = 0;
};

class StudyImages {
 public:
  class Iterator {
   public:
    Iterator(const StudyImages& images, std::size_t row) : images_(&images), row_(row) {}
    StudyImage operator*() const { return (*images_)[row_]; }
    Iterator& operator++() {
      ++row_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return row_ != other.row_; }

   private:
    const StudyImages* images_;
    std::size_t row_;
  };

  std::size_t size() const { return records_.size(); }
  StudyImage operator[](std::size_t row) const;
  StudyImage at(std::size_t row) const;  // throws std::out_of_range
  std::int64_t label(std::size_t row) const { return records_[row].label; }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

  // Keeps copies of the texts.  At most 2^32 - 1 bytes of id and of group, and 256 names of splits.
  void add(const StudyImage& image);

 private:
  struct Record {
    const char* text = nullptr;       // id, then group
    std::uint32_t id = 0, group = 0;  // bytes
    std::int32_t label = 0;
    std::uint8_t split = 0;  // index into splits_
  };
  std::shared_ptr<TextStore> texts_ = std::make_shared<TextStore>();  // copies share it
  std::deque<Record> records_;      // which copies nothing as it grows
  std::deque<std::string> splits_;  // which stay where they are
};

}  // namespace bioptic
