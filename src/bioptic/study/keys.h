// Every key of a study file: one table per section, and one per table inside a section.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/study/schema.h"
#include "bioptic/study/spec.h"

namespace bioptic::schema {

// What [train] and an arm's settings are parsed into.
struct LossDraft {
  LossSpec spec;
  std::map<std::string, double> class_weight;  // by class name, until the classes are known
};
struct TrainDraft {
  TrainSpec spec;  // spec.loss is unused, see loss
  LossDraft loss;
  std::optional<SaveModels> save_models;  // [train] only
};

const std::vector<Key<StudySpec>>& study_keys();
const std::vector<Key<SeedPlan>>& seeds_keys();
const std::vector<Key<DataSpec>>& data_keys();
const std::vector<Key<PhantomSpec>>& phantom_keys();
const std::vector<Key<ShiftSpec>>& shift_keys();
const std::vector<Key<TrainDraft>>& train_keys();
const Kinded<ModelSpec>& model_table();
const Kinded<LossDraft>& loss_table();
const Kinded<OptimizerSpec>& optimizer_table();
const Kinded<ScheduleSpec>& scheduler_table();
const Kinded<NormalisationSpec>& normalisation_table();
const std::vector<Key<EarlyStopping>>& early_stopping_keys();
const std::vector<Key<AugmentSpec>>& augment_keys();
// What an arm has besides the keys of [train].
const std::vector<Key<ArmSpec>>& arm_keys();

const Kinded<ClaimSpec>& claim_table();
// A [[claim]] or a part of one, key by key; check_claims() (check.h) does the rest.
ClaimSpec read_claim_table(const Node& node, const Place& place);
// Adds to `study` a control arm for every way of training that its arms have ([shift] control).
void add_control_arms(StudySpec& study);

// Metrics that `reported` may name.
const std::vector<std::string_view>& metric_names();

// Where a key belongs, "[train] optimizer", or "" when no table has it.
std::string home_of(std::string_view key);

// [train] with nothing in it.
TrainDraft default_train();

}  // namespace bioptic::schema
