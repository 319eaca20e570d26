// A saved model, ready to predict: the network, what its input must be, and its threshold.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/base/parallel.h"
#include "bioptic/data/import.h"
#include "bioptic/data/split.h"
#include "bioptic/engine/engine.h"
#include "bioptic/study/model_images.h"
#include "bioptic/train/evaluation.h"
#include "bioptic/train/normaliser.h"

namespace bioptic {

class ModelFile {
 public:
  // Throws InputError naming the file when it is not one of bioptic's models.
  explicit ModelFile(const std::filesystem::path& file, int threads = 1);

  const std::vector<std::string>& classes() const { return classes_; }
  int channels() const { return channels_; }
  int width() const { return width_; }  // pixels
  int height() const { return height_; }
  Fit fit() const { return fit_; }
  const Reading& reading() const { return reading_; }
  double threshold() const { return threshold_; }
  const std::string& threshold_rule() const { return threshold_rule_; }
  // The dataset that it was trained on, and whether it kept the source's validation split.
  const std::string& dataset_hash() const { return dataset_hash_; }
  bool val_from_source() const { return val_from_source_; }
  // How that dataset was split, and [data] group; empty for a model saved before these were kept.
  const std::optional<SplitSpec>& split() const { return split_; }
  const std::string& group_pattern() const { return group_pattern_; }
  // DatasetInfo::preprocessing of the images that it was trained on, and the window below.
  const std::string& preprocessing() const { return preprocessing_; }
  // 16-bit values low..high became 0..255; empty for a model of 8-bit images.
  const std::vector<int>& window() const { return window_; }

  // Which images it has seen, and what they are like; empty for a model saved before that was kept.
  const ModelImages& images() const { return images_; }

  // images: each channels x height x width bytes, as they are stored: they are normalised here as
  // the training images were.  Returns images x outputs logits.
  std::vector<float> logits(std::span<const std::uint8_t* const> images);

 private:
  std::vector<std::string> classes_;
  int channels_ = 1, width_ = 0, height_ = 0;
  Fit fit_ = Fit::stretch;
  Reading reading_;
  double threshold_ = 0.5;
  std::string threshold_rule_, dataset_hash_;
  bool val_from_source_ = false;
  std::optional<SplitSpec> split_;
  std::string group_pattern_, preprocessing_;
  std::vector<int> window_;
  ModelImages images_;
  std::optional<Normaliser> normaliser_;
  std::optional<Clahe> clahe_;  // images are equalized first
  ThreadPool pool_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace bioptic
