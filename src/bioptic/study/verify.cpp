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
#include "bioptic/study/model_seal.h"

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

bool fits_its_trial(const Store& store, const std::string& trial, const std::string& hash) {
  try {
    const auto result = store.trial(trial, false);
    return !result || result->weights_sha256 == hash;
  } catch (const Failure&) {  // its record is damaged, which is said of the store
    return true;
  }
}

// Throws Failure where the system keeps a file from being looked at, which is no damage.
Verification verify_model(const fs::path& file, const Store& store) {
  const auto is = [&](State state, const std::string& said) {
    return Verification{state, "model", file.string(), said};
  };
  const auto damaged = [&](const std::string& said) { return is(State::damaged, said); };
  try {
    const SavedModel model = read_safetensors(file);
    if (const std::string wrong = broken_seal(model.metadata); !wrong.empty()) {
      return damaged(wrong);
    }
    const std::string hash = parameters_sha256(model.parameters);
    const auto said = model.metadata.find("weights_sha256");
    if (said == model.metadata.end() || said->second != hash) {
      return damaged("its weights have not the SHA-256 that stands in the file");
    }
    if (!all_finite(model.parameters)) return damaged("a weight is not a finite number");
    const auto trial = model.metadata.find("trial");
    if (trial != model.metadata.end() && !fits_its_trial(store, trial->second, hash)) {
      return damaged("its weights are not those that the store has for its trial");
    }
    return is(State::whole, is_sealed(model.metadata)
                                ? "weights and metadata as written"
                                : "weights as written; its metadata have no checksum (saved by an "
                                  "older bioptic)");
  } catch (const InputError& e) {
    return damaged(e.what());
  }
}

void verify_models(const fs::path& out, const Store& store, std::vector<Verification>& list) {
  std::set<fs::path> files;  // in order
  for (const auto& study : fs::directory_iterator(out)) {
    if (!fs::is_directory(study.path() / "models")) continue;
    for (const auto& file : fs::directory_iterator(study.path() / "models")) {
      if (file.path().extension() == ".safetensors") files.insert(file.path());
    }
  }
  for (const fs::path& file : files) list.push_back(verify_model(file, store));
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
  } catch (const InputError& e) {
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
      datasets.emplace(study.dataset_path, study.dataset_hash);
    }
  } catch (const Failure&) {
    // A damaged study: said of the store.
  }
  for (const auto& [path, hash] : datasets) verify_dataset(path, hash, list);
  return list;
}

}  // namespace bioptic
