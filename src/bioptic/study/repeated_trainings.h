// Whether seeds are trainings at all: one training that stands there several times is one.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "bioptic/study/prediction_table.h"

namespace bioptic {

// Empty, or why no verdict may rest on these seeds, naming the first two of them that have the same
// scores (within 1e-6) in every one of `arms` (indices): repetitions of one training tell nothing
// of another.  Where one arm is the same in two seeds and another is not, they remain two.
std::string why_trainings_repeat(const PredictionTable& table, std::span<const std::size_t> arms,
                                 std::span<const std::int64_t> seeds);

// The arms (at least two) have the same scores and ranks for every image in each of the seeds, to
// the last bit: one training under several names.
bool arms_are_identical(const PredictionTable& table, std::span<const std::size_t> arms,
                        std::span<const std::int64_t> seeds);

// Empty, or that a training of these arms and seeds has no finite score at all, naming it.
std::string why_nothing_was_predicted(const PredictionTable& table,
                                      std::span<const std::size_t> arms,
                                      std::span<const std::int64_t> seeds);

}  // namespace bioptic
