#include "bioptic/study/preprocessing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace bioptic {
namespace {

using nlohmann::json;

json object_of(const std::string& text) {
  json parsed = json::parse(text, nullptr, false);
  return parsed.is_object() ? parsed : json::object();
}

std::string words_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Without the numbers of images, which differ from one import to the next.
std::string words_of_dicom(const json& preprocessing) {
  const json window = preprocessing.value("dicom_window", json::object());
  if (!window.is_object() || !window.contains("choice")) return "no DICOM files";
  std::string choice = words_of(window["choice"]);
  if (choice == "fixed") {
    return words_of(window.value("low", json())) + " to " + words_of(window.value("high", json()));
  }
  if (choice != "none") return choice;
  const std::string unit = window.contains("unit")
                               ? ", in units of " + words_of(window["unit"]) + " from " +
                                     words_of(window.value("zero", json(0)))
                               : "";
  return "none (" + words_of(window.value("added", json(0))) + " added" + unit + ")";
}

// What the object has under the key, or else `usual`: also where it is of another type.
std::string text_in(const json& object, const char* key, const char* usual) {
  const bool is = object.is_object() && object.contains(key) && object[key].is_string();
  return is ? object[key].get<std::string>() : usual;
}
double number_in(const json& object, const char* key) {
  const bool is = object.is_object() && object.contains(key) && object[key].is_number();
  return is ? object[key].get<double>() : 0;
}

bool resized(const json& fit) {
  constexpr std::array<const char*, 3> kFits = {"stretch", "pad", "crop"};
  return std::any_of(kFits.begin(), kFits.end(), [&](const char* name) { return fit == name; });
}

}  // namespace

std::vector<PreprocessingDifference> preprocessing_differences(const std::string& model,
                                                               const std::string& data) {
  const json there = object_of(model), here = object_of(data);
  std::vector<PreprocessingDifference> differences;
  const auto differ = [&](const char* what, const std::string& a, const std::string& b) {
    if (a != b) differences.push_back({what, a, b});
  };
  differ("DICOM window", words_of_dicom(there), words_of_dicom(here));
  const json fit_there = there.value("fit", json()), fit_here = here.value("fit", json());
  if (resized(fit_there) && resized(fit_here)) {
    differ("fit", words_of(fit_there), words_of(fit_here));
  }
  for (const char* key : {"bits", "grey", "resampling", "float_range", "window"}) {
    if (!there.contains(key) || !here.contains(key)) continue;
    differ(key, words_of(there[key]), words_of(here[key]));
  }
  // A model's own CLAHE is part of it; this one was done to the images that it gets.
  differ("CLAHE", words_of(there.value("clahe", json("none"))),
         words_of(here.value("clahe", json("none"))));
  return differences;
}

std::string in_words(const std::vector<PreprocessingDifference>& differences) {
  std::string words;
  for (const PreprocessingDifference& d : differences) {
    words += fmt::format("{}{}: {} in training, {} here", words.empty() ? "" : "; ", d.what,
                         d.model, d.data);
  }
  return words;
}

DicomOptions dicom_options_of(const std::string& model) {
  DicomOptions options;
  const json window = object_of(model).value("dicom_window", json::object());
  const std::string choice = text_in(window, "choice", "file");
  if (choice == "percentile") options.window = DicomWindow::percentile;
  if (choice == "fixed") {
    options.window = DicomWindow::fixed;
    options.low = number_in(window, "low");
    options.high = number_in(window, "high");
  }
  if (choice == "none") {
    options.window = DicomWindow::none;
    options.low = -number_in(window, "added");
    const double unit = number_in(window, "unit");
    options.unit = unit > 0 ? unit : 1;
    options.zero = number_in(window, "zero");
  }
  return options;
}

}  // namespace bioptic
