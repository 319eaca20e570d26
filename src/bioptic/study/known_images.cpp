#include "bioptic/study/known_images.h"

#include <fmt/format.h>

#include <utility>

#include "bioptic/base/counted.h"

namespace bioptic {

KnownImage known_image(const ModelImages& model, const ImageTraits& image) {
  KnownImage known;
  if (model.train) known.trained_on = model.train->contains(image.hash);
  if (model.val) known.validated_on = model.val->contains(image.hash);
  if (model.training) known.unlike = model.training->unlike(image);
  return known;
}

void KnownImages::add(KnownImage image) {
  trained_on += image.trained_on.value_or(false) ? 1U : 0U;
  validated_on += image.validated_on.value_or(false) ? 1U : 0U;
  unlike += image.unlike && !image.unlike->empty() ? 1U : 0U;
  each.push_back(std::move(image));
}

std::string seen_in_words(const KnownImages& images) {
  const auto part = [&](std::size_t count, const char* how) {
    return fmt::format("{} of {} {} {}", count, counted(images.each.size(), "image"),
                       count == 1 ? "was" : "were", how);
  };
  std::string words;
  if (images.trained_on > 0) words = part(images.trained_on, "trained on");
  if (images.validated_on > 0) {
    words +=
        (words.empty() ? "" : ", ") + part(images.validated_on,
                                           "in the validation split, which chose the epoch or the "
                                           "threshold");
  }
  return words.empty() ? words : words + " (the same pixels)";
}

std::string unlike_in_words(const KnownImages& images) {
  if (images.unlike == 0) return "";
  return fmt::format("{} of {} {} unlike those that the model was trained on", images.unlike,
                     counted(images.each.size(), "image"), images.unlike == 1 ? "is" : "are");
}

std::string not_checked(const ModelImages& model) {
  const char* missing = model.training ? "which images it was trained on"
                        : model.train  ? "what its training images are like"
                                       : "what its training images are like, nor which they were";
  if (model.training && model.train) return "";
  return fmt::format(
      "the model's file does not tell {} (it was saved by an earlier version, or that was taken "
      "out), so this is not checked",
      missing);
}

}  // namespace bioptic
