// CSV files of predictions: one, or two parted by a zero byte.
#include <algorithm>
#include <vector>

#include "bioptic/study/read_predictions.h"
#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t* const middle = std::find(data, data + size, std::uint8_t{0});
  const auto first = static_cast<std::size_t>(middle - data);
  const bioptic::FuzzFile one(data, first);
  const bioptic::FuzzFile two(first < size ? middle + 1 : data,
                              first < size ? size - first - 1 : 0);
  std::vector<std::filesystem::path> files = {one.path()};
  if (first < size) files.push_back(two.path());
  bioptic::fuzz([&] { bioptic::read_predictions(files, {}); });
  bioptic::fuzz([&] { bioptic::read_predictions(files, {"test", true, "", {}, true}); });
  return bioptic::fuzz([&] { bioptic::read_predictions(files, {"val", true, "b", 0.25}); });
}
