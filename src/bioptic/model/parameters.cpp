#include "bioptic/model/parameters.h"

#include <cmath>

#include "bioptic/base/random.h"
#include "bioptic/base/sha256.h"

namespace bioptic {

std::vector<LayerShape> layer_shapes(std::size_t inputs, const ModelSpec& model, int outputs) {
  std::vector<LayerShape> shapes;
  std::size_t in = inputs;
  for (const int width : model.hidden) {
    shapes.push_back({in, static_cast<std::size_t>(width)});
    in = static_cast<std::size_t>(width);
  }
  shapes.push_back({in, static_cast<std::size_t>(outputs)});
  return shapes;
}

std::size_t module_index(std::size_t layer, bool has_dropout) {
  return layer * (has_dropout ? 3 : 2);
}

Parameters initial_parameters(const std::vector<LayerShape>& shapes, std::uint64_t seed) {
  Parameters parameters;
  parameters.shapes = shapes;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    const double bound = 1 / std::sqrt(static_cast<double>(shapes[l].in));
    const auto draw = [&](std::size_t n, const char* tensor) {
      RandomStream stream(seed, "init/" + std::to_string(l) + tensor);
      std::vector<float> values(n);
      for (float& value : values) {
        value = static_cast<float>(bound * (2 * static_cast<double>(stream.uniform_float()) - 1));
      }
      return values;
    };
    parameters.layers.push_back(
        {draw(shapes[l].in * shapes[l].out, ".weight"), draw(shapes[l].out, ".bias")});
  }
  return parameters;
}

std::string parameters_sha256(const Parameters& parameters) {
  Sha256 hash;
  for (const LayerParameters& layer : parameters.layers) {
    hash.update(layer.weight.data(), layer.weight.size() * sizeof(float));
    hash.update(layer.bias.data(), layer.bias.size() * sizeof(float));
  }
  return hash.hex();
}

}  // namespace bioptic
