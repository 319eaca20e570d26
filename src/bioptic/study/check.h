// What no single key can check: settings that contradict each other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bioptic/study/spec.h"

namespace bioptic::schema {

// Throws InputError "file:line: ..." for an arm whose settings do not go together: a schedule that
// lacks what it needs, Nesterov without momentum, a milestone after the last epoch, ...
void check_arm(const ArmSpec& arm, const std::string& file);

// The keys without which a scheduler of that kind is refused, as TOML with values to start from:
// {"max_lr = 0.003"}; none for most kinds.
std::vector<std::string> needed_schedule_keys(std::string_view kind);

// Throws InputError where `vary`, of the study or of an arm, leaves seeds that would be one and the
// same trial.
void check_vary(const StudySpec& study);

// Throws InputError where `reference` or `pairs` name no arm, or both are given.
void check_pairs(const StudySpec& study);

// Settles what a claim leaves to the study (arms, split, a trend's values) and throws InputError
// "file:line: ..." where claims and arms do not go together.
void check_claims(StudySpec& study);

// The arms would train the same trials.
bool same_training(const ArmSpec& a, const ArmSpec& b);

}  // namespace bioptic::schema
