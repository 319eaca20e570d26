// Images held against those that a model has seen.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/study/model_images.h"

namespace bioptic {

// What is known of one image; nothing where the model does not say which images it has seen.
struct KnownImage {
  std::optional<bool> trained_on, validated_on;    // by the same pixels
  std::optional<std::vector<std::string>> unlike;  // reasons; empty: it is like those of training
};
KnownImage known_image(const ModelImages& model, const ImageTraits& image);

struct KnownImages {
  std::vector<KnownImage> each;
  std::size_t trained_on = 0, validated_on = 0, unlike = 0;

  void add(KnownImage image);
};

// "12 of 400 images were trained on (same pixels)", also of validation; "" where there are none.
std::string seen_in_words(const KnownImages& images);
// "3 of 5 images are unlike those that the model was trained on"; "" where none is.
std::string unlike_in_words(const KnownImages& images);
// What cannot be said of images, since the model's file does not tell; "" where it tells all.
std::string not_checked(const ModelImages& model);

}  // namespace bioptic
