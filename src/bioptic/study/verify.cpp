#include "bioptic/study/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/data/dataset.h"
#include "bioptic/model/safetensors.h"
#include "bioptic/store/store.h"

namespace bioptic {
namespace fs = std::filesystem;
namespace {

using State = Verification::State;

void verify_store(const Store& store, const std::string& where, std::vector<Verification>& list) {
  const auto add = [&](State state, const std::string& said) {
    list.push_back({state, "store", where, said});
  };
  const Store::Verified found = store.verify();
  for (const std::string& damage : found.damage) {
    add(State::damaged, damage + " is not what was written");
  }
  if (found.without > 0) {
    add(State::unknown,
        counted(found.without, "record") + " of an older bioptic, which wrote no checksums");
  }
  if (found.damage.empty() && found.whole > 0)
    add(State::whole, counted(found.whole, "record") + " as written");
}

bool all_finite(const Parameters& parameters) {
  const auto finite = [](float value) { return std::isfinite(value); };
  return std::all_of(parameters.layers.begin(), parameters.layers.end(), [&](const auto& layer) {
    return std::all_of(layer.weight.begin(), layer.weight.end(), finite) &&
           std::all_of(layer.bias.begin(), layer.bias.end(), finite);
  });
}

// What is wrong with a model, "" = nothing.
std::string fault_of_model(const fs::path& file, const Store& store) {
  try {
    const SavedModel model = read_safetensors(file);
    const std::string hash = parameters_sha256(model.parameters);
    const auto said = model.metadata.find("weights_sha256");
    if (said == model.metadata.end() || said->second != hash) {
      return "its weights have not the SHA-256 that stands in the file";
    }
    if (!all_finite(model.parameters)) return "a weight is not a finite number";
    const auto trial = model.metadata.find("trial");
    if (trial == model.metadata.end()) return "";
    const auto result = store.trial(trial->second, false);
    if (result && result->weights_sha256 != hash) {
      return "its weights are not those that the store has for its trial";
    }
  } catch (const std::runtime_error& e) {  // InputError, Failure
    return e.what();
  }
  return "";
}

void verify_models(const fs::path& out, const Store& store, std::vector<Verification>& list) {
  std::set<fs::path> files;  // in order
  for (const auto& study : fs::directory_iterator(out)) {
    std::error_code none;
    for (auto it = fs::directory_iterator(study.path() / "models", none);
         !none && it != fs::directory_iterator(); it.increment(none)) {
      if (it->path().extension() == ".safetensors") files.insert(it->path());
    }
  }
  for (const fs::path& file : files) {
    const std::string fault = fault_of_model(file, store);
    list.push_back({fault.empty() ? State::whole : State::damaged, "model", file.string(),
                    fault.empty() ? "weights as written" : fault});
  }
}

void verify_dataset(const std::string& path, const std::string& hash,
                    std::vector<Verification>& list) {
  const auto add = [&](State state, const std::string& said) {
    list.push_back({state, "dataset", path, said});
  };
  if (!fs::exists(fs::path(path) / "dataset.json")) {
    add(State::unknown, "is not there any more");
    return;
  }
  try {
    const bool same = Dataset::open(path, true).info().content_hash == hash;
    add(same ? State::whole : State::damaged,
        same ? "images, labels and index as written" : "is another than the study was run on");
  } catch (const std::runtime_error& e) {
    add(State::damaged, e.what());
  }
}

}  // namespace

std::vector<Verification> verify_run(const fs::path& out) {
  const Store store = Store::open_to_read(out);
  std::vector<Verification> list;
  verify_store(store, (out / "bioptic.sqlite").string(), list);
  verify_models(out, store, list);
  std::set<std::pair<std::string, std::string>> datasets;
  try {
    for (const StoredStudy& study : store.studies()) {
      if (datasets.emplace(study.dataset_path, study.dataset_hash).second) {
        verify_dataset(study.dataset_path, study.dataset_hash, list);
      }
    }
  } catch (const Failure&) {
    // A damaged study: said of the store.
  }
  return list;
}

}  // namespace bioptic
