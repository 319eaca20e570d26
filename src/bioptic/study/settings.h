// Settings in words, for tables, reports and generated study files.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bioptic/study/spec.h"

namespace bioptic {

// Key and value of every setting of [train], in the order of the documentation, defaults filled in:
// {"batch_size", "30"}, {"scheduler", "cosine (interval = step, eta_min = 0)"}, ...
std::vector<std::pair<std::string, std::string>> settings_text(const TrainSpec& spec);

// The same as a [train] section's lines; parse_study reads them back to the same settings.
std::string train_toml(const TrainSpec& spec);

// "5 seeds; each changes split, init and order", "4 x 2 x 1 = 8 combinations of split, init and
// order". val_from_source: see StudyData; decides the default of `vary`.
std::string seeds_text(const StudySpec& study, bool val_from_source);

// [[arm]] sections, one for each value of "batch_size=10,50,100"; several options give every
// combination.  Keys are those of [train], or of a table in it: "optimizer.lr=1e-3,1e-4".  Values
// are TOML; quotes around text may be left out.  Throws InputError naming the option for a key or
// value that [train] would not take.
std::string vary_arms_toml(const std::vector<std::string>& options);

}  // namespace bioptic
