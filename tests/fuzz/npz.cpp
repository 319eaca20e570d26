// NPZ.
#include "bioptic/data/source.h"

#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bioptic::FuzzFile file(data, size);
  const std::filesystem::path scratch =
      std::filesystem::temp_directory_path() / ("bioptic-fuzz-" + std::to_string(::getpid()));
  std::filesystem::create_directories(scratch);
  bioptic::fuzz([&] {
    const auto source = bioptic::open_npz(file.path(), scratch);
    source->load(source->size() - 1);
  });
  std::filesystem::remove_all(scratch);
  return 0;
}
