// CSV manifests.
#include "bioptic/data/file_list.h"

#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bioptic::FuzzFile file(data, size);
  return bioptic::fuzz([&] { bioptic::list_manifest(file.path(), false); });
}
