#include <nlohmann/json.hpp>

#include "bioptic/base/sha256.h"
#include "bioptic/train/trial.h"

namespace bioptic {
namespace {

const char* name_of(ValidationFrom from) {
  switch (from) {
    case ValidationFrom::automatic:
      return "auto";
    case ValidationFrom::source:
      return "source";
    case ValidationFrom::draw:
      return "draw";
  }
  return "";
}

}  // namespace

const char* name_of(TrialStatus status) {
  switch (status) {
    case TrialStatus::done:
      return "done";
    case TrialStatus::collapsed:
      return "collapsed";
    case TrialStatus::failed:
      return "failed";
  }
  return "";
}

std::string canonical_json(const TrialSpec& spec) {
  // nlohmann::json keeps object keys sorted and prints doubles in shortest digits that read back.
  nlohmann::json j;
  j["train"] = nlohmann::json::parse(canonical_json(spec.train));
  j["split"] = {{"val_fraction", spec.split.val_fraction},
                {"test_fraction", spec.split.test_fraction},
                {"val", name_of(spec.split.val)},
                {"split_by", spec.split.split_by == SplitBy::group ? "group" : "image"}};
  j["group"] = spec.group_pattern;
  j["positive"] = spec.positive;
  j["seeds"] = {
      {"split", spec.seeds.split}, {"init", spec.seeds.init}, {"order", spec.seeds.order}};
  j["dataset"] = spec.dataset_hash;
  j["engine"] = spec.engine;
  j["numerics_version"] = spec.numerics_version;
  return j.dump();
}

std::string trial_id(const TrialSpec& spec) { return sha256_hex(canonical_json(spec)); }

}  // namespace bioptic
