#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "bioptic/base/error.h"
#include "bioptic/base/json_text.h"
#include "bioptic/base/print.h"
#include "bioptic/base/utf8.h"
#include "bioptic/cli/command.h"
#include "bioptic/data/image.h"
#include "bioptic/data/resize.h"
#include "bioptic/data/source_extent.h"
#include "bioptic/data/window.h"
#include "bioptic/model/loss.h"
#include "bioptic/study/known_images.h"
#include "bioptic/study/model_file.h"
#include "bioptic/study/preprocessing.h"

namespace bioptic {
namespace {

struct Options {
  std::string model;
  std::vector<std::string> images;
  std::int64_t max_pixels = std::int64_t{1} << 28;
  bool json = false;
};

struct Prepared {
  std::vector<std::uint8_t> pixels;  // C x H x W
  SourceShape shape;                 // of the file
};

// Decoded and prepared as the model's training images were.
Prepared prepare(const std::string& file, const ModelFile& model, std::int64_t max_pixels) {
  Image image = decode_image(file, max_pixels);
  const SourceShape shape = shape_of(image);
  image = model.channels() == 1 ? to_grey(std::move(image)) : to_rgb(std::move(image));
  image = model.width() == model.height() ? fit_square(image, model.width(), model.fit())
                                          : resample(image, model.width(), model.height());
  const bool wide = image.bits == 16;
  if (wide && model.window().size() != 2) {
    throw InputError(
        file +
        ": is 16 bit, and the model was trained on 8-bit images; make it "
        "8 bit as those were made, or train on a dataset imported from the 16-bit files");
  }
  if (!wide && model.window().size() == 2) {
    throw InputError(file +
                     ": is 8 bit, and the model was trained on 16-bit images; give the "
                     "16-bit original");
  }
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t plane = image.pixels.size() / channels;
  std::vector<std::uint8_t> bytes(image.pixels.size());
  for (std::size_t p = 0; p < plane; ++p) {
    for (std::size_t c = 0; c < channels; ++c) {
      const std::uint16_t v = image.pixels[p * channels + c];
      bytes[c * plane + p] = wide ? apply_window(v, {static_cast<std::uint16_t>(model.window()[0]),
                                                     static_cast<std::uint16_t>(model.window()[1])})
                                  : static_cast<std::uint8_t>(v);
    }
  }
  return {std::move(bytes), shape};
}

// What is known of it; the file's own shape and colour count too.
KnownImage known(const ModelFile& model, const Prepared& image) {
  const ImageTraits traits =
      traits_of(image.pixels, model.channels(), model.height(), model.width());
  KnownImage found = known_image(model.images(), traits);
  const TrainingSource source(model.images().source, model.channels(), model.height(),
                              model.width());
  std::vector<std::string> reasons = source.unlike(image.shape);
  if (found.unlike) reasons.insert(reasons.end(), found.unlike->begin(), found.unlike->end());
  if (found.unlike || !reasons.empty()) found.unlike = std::move(reasons);
  return found;
}

// null where the model does not tell.
template <typename T>
nlohmann::json optional_json(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

// Probability of every class.
std::vector<float> class_scores(const Reading& reading, std::span<const float> logits) {
  std::vector<float> scores(static_cast<std::size_t>(reading.classes));
  if (reading.loss.kind == LossKind::cross_entropy) {
    probabilities(reading.loss.kind, logits, scores);
    return scores;
  }
  const float negated = -logits[0];
  probabilities(reading.loss.kind, std::span(&negated, 1), std::span(scores).first(1));
  probabilities(reading.loss.kind, logits, std::span(scores).subspan(1, 1));
  return scores;
}

int predict_command(const Options& options) {
  ModelFile model(options.model);
  // Image files are no DICOM files; whether they were made by the same window, nobody can tell.
  const auto differences = preprocessing_differences(model.preprocessing(), "{}");
  if (!differences.empty()) {
    print_error(
        "Warning: image files may not be prepared as the model's training images were ({}); "
        "its classes may be of the preparation.\n",
        in_words(differences));
  }
  nlohmann::json list = nlohmann::json::array();
  const Reading& reading = model.reading();
  if (!options.json && reading.classes == 2) {
    print_out("threshold {} ({}) on the score of {}\n", model.threshold(), model.threshold_rule(),
              model.classes()[static_cast<std::size_t>(reading.positive)]);
  }
  if (const std::string not_said = not_checked(model.images()); !not_said.empty()) {
    print_error("Note: {}: {}.\n", options.model, not_said);
  }
  KnownImages all;
  for (const std::string& file : options.images) {
    const Prepared prepared = prepare(file, model, options.max_pixels);
    const std::array<const std::uint8_t*, 1> image = {prepared.pixels.data()};
    const std::vector<float> logits = model.logits(image);
    const KnownImage found = known(model, prepared);
    all.add(found);
    const std::vector<float> scores = class_scores(reading, logits);
    const int label = predicted_label(reading.loss.kind, reading.classes, reading.positive,
                                      model.threshold(), logits.data());
    const std::string predicted =
        label < 0 ? "no class" : model.classes()[static_cast<std::size_t>(label)];
    nlohmann::json by_class;
    std::string text;
    for (std::size_t c = 0; c < scores.size(); ++c) {
      by_class[model.classes()[c]] = scores[c];
      text += fmt::format("  {} {:.4f}", model.classes()[c], scores[c]);
    }
    list.push_back({{"image", file},
                    {"predicted", label < 0 ? nlohmann::json() : nlohmann::json(predicted)},
                    {"scores", by_class},
                    {"unlike_training", optional_json(found.unlike)},
                    {"trained_on", optional_json(found.trained_on)},
                    {"validated_on", optional_json(found.validated_on)}});
    const bool unlike = found.unlike && !found.unlike->empty();
    if (!options.json) {
      print_out("{}: {} {}{}\n", as_utf8(file), predicted, text,
                unlike ? "  unlike the training images" : "");
    }
    if (unlike) {
      print_error("Warning: {}: is unlike the images that the model was trained on: {}.\n",
                  as_utf8(file), fmt::join(*found.unlike, "; "));
    }
  }
  if (all.unlike > 0 && all.each.size() > 1) {
    print_error("Warning: {}; what is predicted of such images may mean nothing.\n",
                unlike_in_words(all));
  }
  if (const std::string seen = seen_in_words(all); !seen.empty()) {
    print_error("Note: {}.\n", seen);
  }
  if (options.json) {
    nlohmann::json j = {{"model", options.model},
                        {"predictions", list},
                        {"preprocessing_differences", nlohmann::json::array()}};
    for (const PreprocessingDifference& d : differences) {
      j["preprocessing_differences"].push_back(
          {{"what", d.what}, {"model", d.model}, {"data", d.data}});
    }
    // Of more classes the likeliest is predicted, whatever a threshold says.
    if (reading.classes == 2) j["threshold"] = model.threshold();
    print_out("{}\n", json_text(j, 2));
  }
  return 0;
}

}  // namespace

void register_predict(CLI::App& app, Command& run) {
  const auto o = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("predict", "The class of single images by a saved model");
  sub->add_option("MODEL", o->model, "a .safetensors file of a run")->required();
  sub->add_option("IMAGE", o->images, "JPEG, PNG or TIFF files")->required();
  sub->add_option("--max-pixels", o->max_pixels, "largest image that is decoded")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
  sub->add_flag("--json", o->json, "as JSON");
  sub->callback([o, &run] { run = [o] { return predict_command(*o); }; });
}

}  // namespace bioptic
