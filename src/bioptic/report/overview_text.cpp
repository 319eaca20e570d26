#include "bioptic/report/overview_text.h"

#include <fmt/format.h>

#include "bioptic/report/overview_words.h"
#include "bioptic/report/text.h"

namespace bioptic {

std::string overview_text(const StudyOverview& study) {
  constexpr std::size_t kWidth = 80;
  std::string out = filled(study.name + ": " + study.question, "", "  ", kWidth);
  out += filled(plain_answer(study), "  ", "  ", kWidth);
  if (study.seeds < static_cast<std::size_t>(kLeastSeedsForVerdict)) {
    out.pop_back();
    return out;
  }
  for (const OverviewClaim& claim : study.claims) {
    out += filled(fmt::format("{} {} {}: {}", claim_mark(claim.verdict), claim.id,
                              claim_verdict_words(claim.verdict), claim.sentence),
                  "    ", "         ", kWidth);
    const std::string of = claim.effect_of.empty() ? "" : claim.effect_of + ": ";
    out += filled(of + claim_number(claim), "         ", "         ", kWidth);
  }
  out.pop_back();  // whoever prints it ends the line
  return out;
}

}  // namespace bioptic
