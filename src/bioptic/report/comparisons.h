// Comparisons of arms as JSON, text, HTML and a figure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bioptic/report/gnuplot.h"
#include "bioptic/study/comparison.h"

namespace bioptic {

// The keys that other tools rely on: see docs/compare.md.
nlohmann::json comparisons_json(std::span<const Comparison> comparisons);

// "seeds_needed_range" and its like: [low, high], the high one, to plan with, null where it cannot
// be told; null where neither is known.
nlohmann::json needed_range_json(std::optional<int> low, std::optional<int> high);

// For the terminal: accuracy on the first split, one row a pair, then a sentence a pair.
// all: a table of every metric and split.
std::string comparisons_text(std::span<const Comparison> comparisons, bool all);

// "bce better", "no effect", "undecided", "not allowed"; "[-0.10, +2.30]" in the metric's units, as
// shown beside the verdict; "98.3 %": its level.
std::string verdict_words(const Comparison& comparison, const JudgedEvidence& evidence);
std::string interval_words(const Comparison& comparison, const JudgedEvidence& evidence);
std::string level_words(const JudgedEvidence& evidence);

// A section of report.html; "" without comparisons.
std::string comparisons_html(std::span<const Comparison> comparisons);

// Forest plot of the first metric on the first split of the comparisons: difference, interval and
// verdict of every pair under E2 and E1.  Nothing without a pair that has an interval.
std::optional<Figure> forest_figure(std::span<const Comparison> comparisons);

}  // namespace bioptic
