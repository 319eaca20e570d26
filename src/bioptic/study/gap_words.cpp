#include "bioptic/study/gap_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bioptic/stats/verdict.h"

namespace bioptic {
namespace {

std::string open(const ArmGap& gap) {
  if (!gap.sign_seen) {
    if (std::isnan(gap.not_excluded))
      return "Nothing found, and too few patients to exclude a gap.";
    return fmt::format("Nothing found, but a gap of up to {:.1f} points could not be excluded.",
                       100 * gap.not_excluded);
  }
  if (!gap.shift_seen) {
    return "The cause of the gap is open: no shift test sees a shift between hold-out and test.";
  }
  if (!gap.part_seen) {
    return "The test images differ from the hold-out, but it is not shown that accuracy falls with "
           "it.";
  }
  const std::string rest =
      gap.leakage_seen ? "Part of the gap is leakage; the cause of the rest is open: a shift "
                         "is seen and accuracy falls with it, but "
                       : "A shift is seen and accuracy falls with it, but ";
  switch (gap.control_answer) {
    case ControlAnswer::absent:
      return rest + "without a control arm ([shift] control = true) it is not called the cause.";
    case ControlAnswer::shrinks:
    case ControlAnswer::persists:
      return rest + "part of the gap remains in the control: the shift is not its only cause.";
    default:
      return rest + "the control arm does not settle whether the gap vanishes without it.";
  }
}

std::string lead(const ArmGap& gap) {
  switch (gap.cause) {
    case GapCause::none:
      return fmt::format("No shift found, and no gap as large as the margin of {:.1f} points.",
                         100 * gap.margin);
    case GapCause::shift:
      return "The gap is because of shift: the tests, the decomposition and the control say so "
             "together.";
    case GapCause::leakage:
      return gap.total.e2.low > 0
                 ? "The gap is leakage: validation is too high because it shares patients with "
                   "training."
                 : "No shift found, but leakage: validation is too high because it shares patients "
                   "with training.";
    case GapCause::shift_and_leakage:
      return "The gap has two causes: shift (tests, decomposition and control say so together) and "
             "leakage (validation shares patients with training).";
    case GapCause::undecided:
      return open(gap);
    case GapCause::not_allowed:
      return fmt::format("No verdict on the gap's cause: it takes at least {} seeds, these are {}.",
                         kLeastSeedsForVerdict, gap.seeds);
  }
  return "";
}

std::string tests(const ArmGap& gap) {
  double smallest = 2;
  for (const double p : {gap.ks_p_holm, gap.classifier_p_holm, gap.mmd_p_holm}) {
    if (!std::isnan(p)) smallest = std::min(smallest, p);
  }
  if (smallest > 1) return " No shift test could be made.";
  return fmt::format(" The shift tests {} hold-out and test apart (smallest corrected p {:.3f}).",
                     gap.shift_seen ? "tell" : "do not tell", smallest);
}

std::string control(const ArmGap& gap) {
  if (gap.control_answer == ControlAnswer::absent) return "";
  const char* verb = gap.control_answer == ControlAnswer::vanishes  ? "vanishes:"
                     : gap.control_answer == ControlAnswer::shrinks ? "is smaller but still there:"
                                                                    : "is";
  return fmt::format(
      " In the control, where all splits come from one pool, validation less test {} {}.", verb,
      points_text(gap.control_total.value, gap.control_total.e2));
}

std::string leakage(const ArmGap& gap) {
  if (!gap.leakage) {
    return gap.val_by_group && gap.validation_shared == 0
               ? " Validation is drawn by group and shares no patient with training."
               : "";
  }
  const GapPart& part = *gap.leakage;
  const bool paired = !gap.leakage_against.empty();
  const std::string size = points_text(part.value, paired ? part.e1 : part.e2) +
                           (paired ? ", measured against arm " + gap.leakage_against : "");
  return fmt::format(
      " Of the validation images {:.0f} % are of patients in training, too; {}.",
      100 * gap.validation_shared,
      gap.leakage_seen ? fmt::format("that makes validation too high by {}", size)
                       : fmt::format("that this makes validation too high is not shown: {}", size));
}

}  // namespace

const char* name_of(ControlAnswer answer) {
  switch (answer) {
    case ControlAnswer::absent:
      return "absent";
    case ControlAnswer::vanishes:
      return "vanishes";
    case ControlAnswer::shrinks:
      return "shrinks";
    case ControlAnswer::persists:
      return "persists";
    case ControlAnswer::undecided:
      return "undecided";
  }
  return "";
}

const char* name_of(GapCause cause) {
  switch (cause) {
    case GapCause::none:
      return "none";
    case GapCause::shift:
      return "shift";
    case GapCause::leakage:
      return "leakage";
    case GapCause::shift_and_leakage:
      return "shift_and_leakage";
    case GapCause::undecided:
      return "undecided";
    case GapCause::not_allowed:
      return "not_allowed";
  }
  return "";
}

std::string signed_points(double value) {
  const std::string text = fmt::format("{:+.1f}", 100 * value);
  return text == "-0.0" || text == "+0.0" ? "0.0" : text;
}

std::string points_text(double value, const GapEstimate& interval) {
  if (std::isnan(value)) return "not known";
  std::string text = signed_points(value) + " points";
  if (!std::isnan(interval.low)) {
    text += fmt::format(" (95 % interval {} to {})", signed_points(interval.low),
                        signed_points(interval.high));
  }
  return text;
}

namespace {

// The limits that "no gap as large as ..." and "a gap of up to ..." rest on.
std::string excluded_text(double value, const GapEstimate& limits) {
  if (std::isnan(value) || std::isnan(limits.equivalence_low)) return points_text(value, limits);
  return fmt::format("{} points (90 % interval {} to {})", signed_points(value),
                     signed_points(limits.equivalence_low), signed_points(limits.equivalence_high));
}

}  // namespace

std::string gap_sentence(const ArmGap& gap) {
  // Where no sign of a gap is seen, the question is how large one may be all the same.
  const auto text = [&](const GapPart& part) {
    return gap.sign_seen ? points_text(part.value, part.e2) : excluded_text(part.value, part.e2);
  };
  return lead(gap) + " Validation less test: " + text(gap.total) + "." + tests(gap) +
         " Hold-out less test: " + text(gap.holdout_minus_test) + "." + control(gap) + leakage(gap);
}

}  // namespace bioptic
