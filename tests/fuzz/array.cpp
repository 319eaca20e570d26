// NPY.
#include "bioptic/data/array_source.h"

#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bioptic::FuzzFile file(data, size);
  return bioptic::fuzz([&] {
    const bioptic::ArrayStack stack(file.path(), "fuzz");
    bioptic::FloatRange range;
    if (stack.values() != bioptic::ArrayValues::pixels) stack.scan(range);
    stack.load(stack.size() - 1, range);
  });
}
