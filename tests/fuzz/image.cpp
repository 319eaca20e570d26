// JPEG, PNG and TIFF.
#include "bioptic/data/image.h"

#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bioptic::FuzzFile file(data, size);
  return bioptic::fuzz([&] {
    bioptic::read_image_header(file.path(), bioptic::kFuzzPixels);
    bioptic::decode_image(file.path(), bioptic::kFuzzPixels);
  });
}
