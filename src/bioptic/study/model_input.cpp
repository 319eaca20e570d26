#include "bioptic/study/model_input.h"

#include <algorithm>

#include "bioptic/base/error.h"
#include "bioptic/data/window.h"

namespace bioptic {

ModelInput::ModelInput(ModelFile& model, const Dataset& dataset, const std::string& name)
    : model_(model), dataset_(dataset) {
  if (dataset.info().dtype == PixelType::uint8) return;
  if (model.window().size() != 2) {
    throw InputError(name +
                     ": is 16 bit, and the model was trained on 8-bit images; import "
                     "8-bit files, or train on this dataset");
  }
  const Window window{static_cast<std::uint16_t>(model.window()[0]),
                      static_cast<std::uint16_t>(model.window()[1])};
  grey_.resize(65536);
  for (std::size_t v = 0; v < grey_.size(); ++v) {
    grey_[v] = apply_window(static_cast<std::uint16_t>(v), window);
  }
}

std::span<const std::uint8_t> ModelInput::image(std::size_t row,
                                                std::vector<std::uint8_t>& buffer) const {
  if (grey_.empty()) return dataset_.image8(row);
  const auto stored = dataset_.image16(row);
  buffer.resize(stored.size());
  std::transform(stored.begin(), stored.end(), buffer.begin(),
                 [&](std::uint16_t v) { return grey_[v]; });
  return buffer;
}

std::vector<float> ModelInput::logits(std::span<const std::size_t> rows) const {
  const std::size_t at_once =
      std::clamp<std::size_t>((std::size_t{16} << 20) / dataset_.pixels_per_image(), 1, 256);
  std::vector<std::vector<std::uint8_t>> buffers(std::min(at_once, rows.size()));
  std::vector<const std::uint8_t*> images;
  std::vector<float> logits;
  for (std::size_t begin = 0; begin < rows.size(); begin += at_once) {
    images.clear();
    for (std::size_t i = begin; i < std::min(begin + at_once, rows.size()); ++i) {
      images.push_back(image(rows[i], buffers[images.size()]).data());
    }
    const std::vector<float> some = model_.logits(images);
    logits.insert(logits.end(), some.begin(), some.end());
  }
  return logits;
}

std::vector<ImageTraits> ModelInput::traits(std::span<const std::size_t> rows,
                                            ThreadPool& pool) const {
  const DatasetInfo& info = dataset_.info();
  std::vector<ImageTraits> traits(rows.size());
  pool.run(rows.size(), [&](std::size_t i) {
    std::vector<std::uint8_t> buffer;
    traits[i] = traits_of(image(rows[i], buffer), info.channels, info.height, info.width);
  });
  return traits;
}

}  // namespace bioptic
