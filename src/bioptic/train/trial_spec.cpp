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

nlohmann::json split_json(const SplitSpec& spec) {
  nlohmann::json j = {{"val_fraction", spec.val_fraction},
                      {"test_fraction", spec.test_fraction},
                      {"val", name_of(spec.val)},
                      {"split_by", spec.split_by == SplitBy::group ? "group" : "image"}};
  // Only where they are set, so that a trial without them keeps the id it had before there were
  // any.
  if (spec.holdout_fraction > 0) j["holdout_fraction"] = spec.holdout_fraction;
  if (spec.control) j["control"] = true;
  return j;
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
  j["split"] = split_json(spec.split);
  j["group"] = spec.group_pattern;
  j["positive"] = spec.positive;
  j["seeds"] = {
      {"split", spec.seeds.split}, {"init", spec.seeds.init}, {"order", spec.seeds.order}};
  j["dataset"] = spec.dataset_hash;
  j["engine"] = spec.engine;
  j["numerics_version"] = spec.numerics_version;
  return j.dump();
}

std::string canonical_json(const SplitSpec& spec) { return split_json(spec).dump(); }

SplitSpec split_spec_from_json(const std::string& text) {
  const nlohmann::json j = nlohmann::json::parse(text);
  SplitSpec spec;
  spec.val_fraction = j.at("val_fraction").get<double>();
  spec.test_fraction = j.at("test_fraction").get<double>();
  const auto val = j.at("val").get<std::string>();
  for (const ValidationFrom from : {ValidationFrom::source, ValidationFrom::draw}) {
    if (val == name_of(from)) spec.val = from;
  }
  if (j.at("split_by").get<std::string>() == "group") spec.split_by = SplitBy::group;
  spec.holdout_fraction = j.value("holdout_fraction", 0.0);
  spec.control = j.value("control", false);
  return spec;
}

std::string trial_id(const TrialSpec& spec) { return sha256_hex(canonical_json(spec)); }

}  // namespace bioptic
