// The golden files of tests/golden, and the problems they were made from: images, labels, initial
// weights and dropout masks come from a small integer hash that generate.py computes too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bioptic/engine/engine.h"
#include "bioptic/model/parameters.h"
#include "bioptic/model/spec.h"

namespace bioptic::golden {

// <name>.json and, where there is one, <name>.f64.
struct File {
  nlohmann::json cases;
  std::vector<double> values;
  // The values of one case, by its "begin" and "end".
  std::vector<double> of(const nlohmann::json& c) const;
};
File read(const std::string& name);

// Hands out a case's values in order.
class Values {
 public:
  explicit Values(std::vector<double> values) : values_(std::move(values)) {}
  double next() { return values_.at(at_++); }
  std::vector<double> next(std::size_t n);
  std::size_t left() const { return values_.size() - at_; }

 private:
  std::vector<double> values_;
  std::size_t at_ = 0;
};

TrainSpec spec_of(const nlohmann::json& c);

// n numbers in [0, 1), multiples of 2^-24.
std::vector<double> uniform(std::uint64_t seed, std::size_t n);
std::vector<std::uint8_t> stored_images(std::size_t count, std::size_t inputs);
std::vector<std::int64_t> labels(std::size_t count, int classes);
Parameters initial_tensors(const std::vector<LayerShape>& shapes);
// Empty without dropout; else per hidden layer batch x width factors.
std::vector<std::vector<float>> dropout_masks(std::size_t step, std::size_t batch,
                                              const ModelSpec& model);

// The largest |ours - theirs| over the largest |theirs|: the relative difference of a tensor. Where
// all of theirs is 0, the largest |ours|.
template <typename T>
double relative_difference(const T& ours, const std::vector<double>& theirs) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const double d = std::abs(static_cast<double>(ours[i]) - theirs[i]);
    difference = d <= difference ? difference : d;  // keeps a NaN
    size = std::max(size, std::abs(theirs[i]));
  }
  return size > 0 ? difference / size : difference;
}

}  // namespace bioptic::golden
