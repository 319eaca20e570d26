// dataset.json and index.csv: the input is both, parted by a zero byte, beside arrays of two
// images.
#include "bioptic/data/dataset.h"

#include <algorithm>
#include <fstream>

#include "bioptic/data/npy.h"
#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                       ("bioptic-fuzz-dataset-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto put = [&](const char* name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  };
  const std::string input(data, data + size);
  const std::size_t middle = std::min(input.find('\0'), input.size());
  put("dataset.json", input.substr(0, middle));
  put("index.csv", middle < input.size() ? input.substr(middle + 1) : "");
  put("images.npy", bioptic::npy_header("|u1", {2, 1, 2, 2}) + std::string(8, 'x'));
  put("labels.npy", bioptic::npy_header("<i8", {2}) + std::string(16, '\0'));
  return bioptic::fuzz([&] {
    const bioptic::Dataset dataset = bioptic::Dataset::open(folder);
    for (std::size_t row = 0; row < dataset.size(); ++row) dataset.record(row);
  });
}
