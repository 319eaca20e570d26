// Weights and biases in PyTorch's order and layout, and their initial values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bioptic/model/spec.h"

namespace bioptic {

// One nn.Linear: y = x W^T + b.
struct LayerShape {
  std::size_t in = 0, out = 0;
};

// The layers of an MLP: input -> hidden[0] -> ... -> outputs.
std::vector<LayerShape> layer_shapes(std::size_t inputs, const ModelSpec& model, int outputs);

// Index of layer l's module in the equivalent nn.Sequential: Linear, activation, (Dropout), Linear,
// ...: 0, 2, 4 without dropout, 0, 3, 6 with.  The tensors are "<index>.weight", "<index>.bias".
std::size_t module_index(std::size_t layer, bool has_dropout);

struct LayerParameters {
  std::vector<float> weight;  // (out, in), row-major, as PyTorch
  std::vector<float> bias;    // (out)
};

struct Parameters {
  std::vector<LayerShape> shapes;
  std::vector<LayerParameters> layers;
};

// PyTorch's default for nn.Linear: weight and bias uniform in [-1/sqrt(in), 1/sqrt(in)).  Each
// tensor has a stream of its own, (seed, "init/<layer>.weight" or ".bias" with the layer counted
// from 0), so that arms of other shapes agree where shapes agree.
Parameters initial_parameters(const std::vector<LayerShape>& shapes, std::uint64_t seed);

// SHA-256 over all tensors in order: weight then bias of every layer, little-endian float32.
std::string parameters_sha256(const Parameters& parameters);

}  // namespace bioptic
