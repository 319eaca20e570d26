// index.html and `bioptic demo` in words: plain sentences about several studies.
#pragma once

#include <span>
#include <string>

#include "bioptic/report/overview.h"

namespace bioptic {

// The study's question answered in a line: "No. All three settings are equivalent in test accuracy,
// within ±3 points, for new seeds and new patients."
std::string plain_answer(const StudyOverview& study);

// "supported", "refuted", "no difference", "undecided", "no verdict"; and a mark of one character.
std::string claim_verdict_words(Verdict verdict);
std::string claim_mark(Verdict verdict);
// "−0.03 points (95 % CI −0.35 to +0.30)"; of not_allowed the reason.
std::string claim_number(const OverviewClaim& claim);
// "new seeds and new patients", "new seeds, these images".
std::string claim_scope(const StudyOverview& study, const OverviewClaim& claim);

// That test patients are in training, too, of the study in which most are; "" where none is.
std::string shared_patients_text(std::span<const StudyOverview> studies);

// Some 120 words to copy: what was trained, what came out, what was not decided.
std::string paragraph(std::span<const StudyOverview> studies);

// "none", "two", ..., "ten", then digits.
std::string count_word(std::size_t n);
// 100 * value, "−" for minus, with a sign where asked for.
std::string points_text(double value, int digits, bool sign);

}  // namespace bioptic
