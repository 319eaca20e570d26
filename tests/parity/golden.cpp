#include "golden.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace bioptic::golden {

File read(const std::string& name) {
  const std::string stem = std::string(BIOPTIC_GOLDEN_DIR) + "/" + name;
  std::ifstream text(stem + ".json");
  if (!text) throw std::runtime_error("no golden file " + stem + ".json");
  File file;
  file.cases = nlohmann::json::parse(text).at("cases");
  std::ifstream numbers(stem + ".f64", std::ios::binary | std::ios::ate);
  if (numbers) {
    file.values.resize(static_cast<std::size_t>(numbers.tellg()) / sizeof(double));
    numbers.seekg(0);
    numbers.read(reinterpret_cast<char*>(file.values.data()),
                 static_cast<std::streamsize>(file.values.size() * sizeof(double)));
  }
  return file;
}

std::vector<double> File::of(const nlohmann::json& c) const {
  const auto begin = c.at("begin").get<std::ptrdiff_t>(), end = c.at("end").get<std::ptrdiff_t>();
  if (end > static_cast<std::ptrdiff_t>(values.size())) {
    throw std::runtime_error("a golden file is shorter than its index says");
  }
  return {values.begin() + begin, values.begin() + end};
}

std::vector<double> Values::next(std::size_t n) {
  std::vector<double> part;
  for (std::size_t i = 0; i < n; ++i) part.push_back(next());
  return part;
}

TrainSpec spec_of(const nlohmann::json& c) { return train_spec_from_json(c.at("spec").dump()); }

std::vector<double> uniform(std::uint64_t seed, std::size_t n) {
  std::vector<double> u(n);
  for (std::size_t i = 0; i < n; ++i) {
    auto h = static_cast<std::uint32_t>(i * 2654435761U + (seed * 40503U + 12345U));
    h ^= h >> 15;
    h *= 2246822519U;
    h ^= h >> 13;
    h *= 3266489917U;
    h ^= h >> 16;
    u[i] = static_cast<double>(h >> 8) / (1 << 24);
  }
  return u;
}

std::vector<std::uint8_t> stored_images(std::size_t count, std::size_t inputs) {
  std::vector<std::uint8_t> pixels;
  for (const double u : uniform(1, count * inputs)) {
    pixels.push_back(static_cast<std::uint8_t>(u * 256));
  }
  return pixels;
}

std::vector<std::int64_t> labels(std::size_t count, int classes) {
  std::vector<std::int64_t> y;
  for (const double u : uniform(2, count)) y.push_back(static_cast<std::int64_t>(u * classes));
  return y;
}

Parameters initial_tensors(const std::vector<LayerShape>& shapes) {
  Parameters parameters;
  parameters.shapes = shapes;
  for (std::size_t l = 0; l < shapes.size(); ++l) {
    const double bound = std::sqrt(static_cast<double>(shapes[l].in));
    const auto draw = [&](std::uint64_t seed, std::size_t n) {
      std::vector<float> tensor;
      for (const double u : uniform(seed, n)) {
        tensor.push_back(static_cast<float>((2 * u - 1) / bound));
      }
      return tensor;
    };
    parameters.layers.push_back(
        {draw(10 + 2 * l, shapes[l].in * shapes[l].out), draw(11 + 2 * l, shapes[l].out)});
  }
  return parameters;
}

std::vector<std::vector<float>> dropout_masks(std::size_t step, std::size_t batch,
                                              const ModelSpec& model) {
  std::vector<std::vector<float>> masks;
  if (model.dropout == 0) return masks;
  const auto factor = static_cast<float>(1 / (1 - model.dropout));
  for (std::size_t l = 0; l < model.hidden.size(); ++l) {
    const std::size_t n = batch * static_cast<std::size_t>(model.hidden[l]);
    auto& mask = masks.emplace_back();
    for (const double u : uniform(1000 + 100 * step + l, n)) {
      mask.push_back(u < model.dropout ? 0 : factor);
    }
  }
  return masks;
}

}  // namespace bioptic::golden
