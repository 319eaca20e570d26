// Labels in an array beside an array of images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bioptic {

struct LabelArray {
  std::string name;                   // for messages
  std::vector<std::int64_t> numbers;  // one an image; empty where they are texts
  std::vector<std::string> texts;
  std::size_t one_hot = 0;  // columns that each number was one of; 0: it stands there itself
};

// One label for each of `images`: (N), (N, 1) or (1, N) of whole numbers (of any type), truth
// values or texts; or (N, K) one-hot, every row with a single 1 among zeros.  Throws InputError
// naming the array and the image, with a remedy that loses no label.
LabelArray read_label_array(const std::filesystem::path& file, const std::string& name,
                            std::size_t images);

struct ArrayClasses {
  std::vector<std::string> names;
  std::vector<std::vector<std::int64_t>> labels;  // of each array, indices into names
  std::vector<std::string> notes;                 // sentences for a person
};

// The classes are the labels that occur, named after them: numbers in their order, padded so that
// they also sort so; texts by bytes.  Throws InputError where there are fewer than two, or where
// the arrays do not fit each other.
ArrayClasses classes_of(const std::vector<LabelArray>& arrays, const std::string& name);

}  // namespace bioptic
