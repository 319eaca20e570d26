#include "bioptic/study/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/nesting.h"
#include "bioptic/model/safetensors.h"
#include "bioptic/study/model_seal.h"
#include "bioptic/train/image_maps.h"
#include "bioptic/train/weights.h"

namespace bioptic {
namespace {

using Metadata = std::map<std::string, std::string>;

const std::string& text_of(const Metadata& metadata, const std::string& key) {
  const auto it = metadata.find(key);
  if (it == metadata.end()) {
    throw InputError("its metadata have no '" + key + "'; it is not a model that bioptic saved");
  }
  return it->second;
}

template <typename T>
T number_of(const Metadata& metadata, const std::string& key) {
  const std::string& text = text_of(metadata, key);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw InputError("its metadata give '" + text + "' for " + key);
  }
  return value;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Throws where the weights are not those that the run saved, or no prediction can come of them.
void check_weights(const Parameters& parameters, const Metadata& metadata) {
  const auto saved = metadata.find("weights_sha256");
  if (saved != metadata.end()) {
    const std::string found = parameters_sha256(parameters);
    if (found != saved->second) {
      throw InputError(fmt::format(
          "its weights are not those that were saved (SHA-256 {} here, {} in its metadata): it was "
          "changed or damaged since; take a copy of it, or move it away and run its study again, "
          "which writes the same bits",
          found.substr(0, 16), saved->second.substr(0, 16)));
    }
  }
  const auto finite = [](const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  };
  for (const LayerParameters& layer : parameters.layers) {
    if (!finite(layer.weight) || !finite(layer.bias)) {
      throw InputError(
          "not all of its weights are finite numbers, so it predicts nothing: its training "
          "diverged; train with a lower learning rate, or use the model of another seed");
    }
  }
}

}  // namespace

ModelFile::ModelFile(const std::filesystem::path& file, int threads) : pool_(threads) {
  const SavedModel saved = read_safetensors(file);
  try {
    const Metadata& m = saved.metadata;
    if (const std::string wrong = broken_seal(m); !wrong.empty()) throw InputError(wrong);
    const std::string& format = text_of(m, "bioptic_model");
    if (format != "1" && format != "2") {
      throw InputError("format " + format + " is newer than this program");
    }
    classes_ = lines_of(text_of(m, "classes"));
    channels_ = number_of<int>(m, "channels");
    width_ = number_of<int>(m, "width");
    height_ = number_of<int>(m, "height");
    constexpr int kMost = 1 << 15;
    if (width_ < 1 || height_ < 1 || width_ > kMost || height_ > kMost ||
        (channels_ != 1 && channels_ != 3)) {
      throw InputError("its metadata give an impossible image size");
    }
    const std::string& fit = text_of(m, "fit");
    fit_ = fit == "pad" ? Fit::pad : fit == "crop" ? Fit::crop : Fit::stretch;
    threshold_ = number_of<double>(m, "threshold");
    if (!(threshold_ >= 0 && threshold_ <= 1)) {  // also NaN
      throw InputError("its metadata give '" + text_of(m, "threshold") +
                       "' for threshold, which is no probability");
    }
    threshold_rule_ = text_of(m, "threshold_rule");
    dataset_hash_ = text_of(m, "dataset_sha256");
    val_from_source_ = text_of(m, "validation") == "source";
    if (m.contains("split")) {
      split_ = split_spec_from_json(m.at("split"));
      group_pattern_ = text_of(m, "group");
    }
    const TrainSpec train = train_spec_from_json(text_of(m, "train"));
    const auto positive = std::find(classes_.begin(), classes_.end(), text_of(m, "positive"));
    if (positive == classes_.end()) throw InputError("its positive class is none of its classes");
    LossSpec loss = train.loss;
    if (loss.balanced) {  // the numbers of its own training split
      loss.balanced = false;
      loss.class_weight =
          nlohmann::json::parse(text_of(m, "class_weight")).get<std::vector<double>>();
    }
    if (!loss.class_weight.empty() && loss.class_weight.size() != classes_.size()) {
      throw InputError("its metadata have not one class weight for each class");
    }
    const auto label = static_cast<int>(positive - classes_.begin());
    reading_ = {settled_loss(loss, label, {}, classes_), static_cast<int>(classes_.size()), label};
    preprocessing_ = text_of(m, "preprocessing");
    if (nested_too_deeply(preprocessing_)) {
      throw InputError("its record of how images were prepared is nested too deeply");
    }
    const auto preprocessing = nlohmann::json::parse(preprocessing_);
    if (!preprocessing.is_object()) {
      throw InputError("its record of how images were prepared is none");
    }
    if (preprocessing.contains("window")) window_ = preprocessing["window"].get<std::vector<int>>();

    images_ = model_images(m);

    EngineConfig config;
    config.channels = static_cast<std::size_t>(channels_);
    config.pixels_per_channel =
        static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
    config.classes = reading_.classes;
    config.model = train.model;
    config.loss = train.loss;
    config.threads = threads;
    config.pool = &pool_;
    const std::vector<LayerShape> shapes =
        layer_shapes(config.channels * config.pixels_per_channel, train.model,
                     static_cast<int>(reading_.outputs()));
    const bool same = std::equal(
        shapes.begin(), shapes.end(), saved.parameters.shapes.begin(),
        saved.parameters.shapes.end(),
        [](const LayerShape& a, const LayerShape& b) { return a.in == b.in && a.out == b.out; });
    if (!same) throw InputError("its tensors do not have the shapes that its metadata describe");
    check_weights(saved.parameters, m);
    engine_ = make_engine("fused", config);
    engine_->set_parameters(saved.parameters);
    if (train.normalisation.kind == NormalisationKind::clahe) {
      clahe_ = clahe_of(train.normalisation);
      if (!(clahe_->clip_limit > 0) || clahe_->clip_limit > 1 || clahe_->tiles < 1) {
        throw InputError("its CLAHE has impossible parameters");
      }
    }
    normaliser_.emplace(train.normalisation, config.channels,
                        format == "1" ? "{}" : text_of(m, "normalisation"));
  } catch (const nlohmann::json::exception& e) {
    throw InputError(file.string() + ": its metadata cannot be read: " + e.what());
  } catch (const InputError& e) {
    throw InputError(file.string() + ": " + e.what());
  }
}

std::vector<float> ModelFile::logits(std::span<const std::uint8_t* const> images) {
  // A few at a time: maps, tables and equalized pixels of all of them would take memory by their
  // number.
  const std::size_t pixels = static_cast<std::size_t>(channels_) *
                             static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
  const std::size_t at_once = std::clamp<std::size_t>((std::size_t{32} << 20) / pixels, 1, 256);
  ImageMaps maps(*normaliser_, std::min(images.size(), at_once));
  std::vector<std::uint8_t> equalized;
  std::vector<Row> rows;
  std::vector<float> out(images.size() * reading_.outputs());
  for (std::size_t begin = 0; begin < images.size(); begin += at_once) {
    const auto some = images.subspan(begin, std::min(at_once, images.size() - begin));
    rows.clear();
    if (clahe_) {
      equalized.resize(some.size() * pixels);
      pool_.run(some.size(), [&](std::size_t i) {
        equalize(*clahe_, channels_, height_, width_, {some[i], pixels},
                 std::span(equalized).subspan(i * pixels, pixels));
      });
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::uint8_t* image = clahe_ ? &equalized[i * pixels] : some[i];
      maps.set(i, {image, pixels});
      rows.push_back({image, maps.of(i)});
    }
    engine_->evaluate(
        rows, std::span(out).subspan(begin * reading_.outputs(), some.size() * reading_.outputs()));
  }
  return out;
}

}  // namespace bioptic
