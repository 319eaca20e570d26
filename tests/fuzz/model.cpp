// Saved models: the safetensors container, and the JSON in its metadata.
#include <algorithm>
#include <vector>

#include "bioptic/model/safetensors.h"
#include "bioptic/study/model_file.h"
#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bioptic::FuzzFile file(data, size);
  bioptic::fuzz([&] { bioptic::read_safetensors_metadata(file.path()); });
  return bioptic::fuzz([&] {
    bioptic::ModelFile model(file.path());
    const auto side = [](int n) { return static_cast<std::size_t>(n); };
    const std::vector<std::uint8_t> image(
        side(model.channels()) * side(model.height()) * side(model.width()), 7);
    const std::vector<const std::uint8_t*> rows = {image.data()};
    model.logits(rows);
  });
}
