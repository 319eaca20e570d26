#include "bioptic/report/overview_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "bioptic/base/counted.h"
#include "bioptic/report/text.h"
#include "bioptic/study/comparison_sentence.h"
#include "bioptic/study/explain_claim.h"

namespace bioptic {
namespace {

constexpr const char* kMinus = "−";  // U+2212

std::string with_minus(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '-' ? kMinus : std::string(1, c);
  return out;
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

// "Batch size" for a study called batch_size.
std::string as_words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return capital(std::move(name));
}

// "a", "a and b", "a, b and c"
std::string list_text(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return out;
}

// A margin has as many digits as it was written with: 3, 0.5.
std::string margin_text(double margin) { return fmt::format("{:g}", 100 * margin); }

bool positive_or_negative(Verdict v) { return v == Verdict::positive || v == Verdict::negative; }

std::size_t count(std::span<const OverviewPair> pairs, Verdict verdict) {
  return static_cast<std::size_t>(std::count_if(
      pairs.begin(), pairs.end(), [&](const OverviewPair& p) { return p.verdict == verdict; }));
}

std::string for_whom(const StudyOverview& s) {
  if (!s.patients) return "for new seeds on these images";
  return s.patients_known ? "for new seeds and new patients" : "for new seeds and new images";
}

// "(95 % CI −15.4 to +7.1)"
std::string interval_text(double low, double high, double confidence) {
  if (std::isnan(low)) return "";
  // A limit that is not 0 does not read as 0: it may be what decides.
  const auto text = [](double limit) {
    const double size = std::abs(limit);
    return points_text(limit, size == 0 || size >= 0.0005 ? 1 : size >= 0.00005 ? 2 : 3, true);
  };
  return fmt::format(" ({} CI {} to {})", confidence_text(confidence), text(low), text(high));
}

// "a scored 4.2 points higher than b (95 % CI ...)", the better one in front.
std::string better_text(const OverviewPair& p) {
  const bool first = p.difference >= 0;
  const double low = first ? p.low : -p.high, high = first ? p.high : -p.low;
  return fmt::format("{} scored {} points higher than {}{}", first ? p.a : p.b,
                     points_text(std::abs(p.difference), 1, false), first ? p.b : p.a,
                     interval_text(low, high, p.confidence));
}

const OverviewPair& largest(std::span<const OverviewPair> pairs) {
  return *std::max_element(pairs.begin(), pairs.end(),
                           [](const OverviewPair& x, const OverviewPair& y) {
                             return std::abs(x.difference) < std::abs(y.difference);
                           });
}

// "1 of 3 pairs is equivalent (within ±3 points) and 2 are undecided"; of one pair "the pair is
// undecided".
std::string pairs_text(const StudyOverview& s, std::span<const OverviewPair> pairs) {
  const std::string equivalent =
      fmt::format("equivalent (within ±{} points)", margin_text(s.margin));
  const auto decided = [](const OverviewPair& p) { return positive_or_negative(p.verdict); };
  const std::array<std::pair<std::size_t, std::string>, 4> kinds{{
      {static_cast<std::size_t>(std::count_if(pairs.begin(), pairs.end(), decided)), "different"},
      {count(pairs, Verdict::no_effect), equivalent},
      {count(pairs, Verdict::undecided), "undecided"},
      {count(pairs, Verdict::not_allowed), "without a verdict"},
  }};
  std::vector<std::string> parts;
  for (const auto& [n, what] : kinds) {
    if (n == 0) continue;
    if (pairs.size() == 1) return "the pair is " + what;
    parts.push_back(fmt::format("{}{} {} {}", n,
                                parts.empty() ? fmt::format(" of {} pairs", pairs.size()) : "",
                                n == 1 ? "is" : "are", what));
  }
  return list_text(parts);
}

// Pairs none of which is decided for one side.
std::string nothing_found(const StudyOverview& s, std::span<const OverviewPair> pairs) {
  const std::size_t equal = count(pairs, Verdict::no_effect);
  const std::string margin = margin_text(s.margin);
  if (pairs.size() == 1) {
    const OverviewPair& p = pairs.front();
    if (equal == 1) {
      return fmt::format("No. {} and {} are equivalent in test accuracy, within ±{} points, {}.",
                         p.a, p.b, margin, for_whom(s));
    }
    return fmt::format(
        "Not decided. {}, {}; that they are equivalent (within ±{} points) is not "
        "shown either.",
        better_text(p), for_whom(s), margin);
  }
  if (equal == pairs.size()) {
    return fmt::format(
        "No. All {} settings are equivalent in test accuracy, within ±{} points, {}.",
        count_word(s.arms.size()), margin, for_whom(s));
  }
  if (equal == 0) {
    return fmt::format(
        "Not decided. No pair of settings is shown to differ in test accuracy, and none to be "
        "equivalent within ±{} points; the largest difference: {}.",
        margin, better_text(largest(pairs)));
  }
  return fmt::format("No difference in test accuracy is shown: {}, {}.", pairs_text(s, pairs),
                     for_whom(s));
}

// An arm that every other one beats, or that beats every other one: its name, or nullptr.
const OverviewArm* outsider(const StudyOverview& s, bool worst) {
  for (const OverviewArm& arm : s.arms) {
    std::size_t against = 0;
    const bool all = std::all_of(s.pairs.begin(), s.pairs.end(), [&](const OverviewPair& p) {
      if (p.a != arm.name && p.b != arm.name) return true;
      ++against;
      const bool better = p.verdict == (p.a == arm.name ? Verdict::positive : Verdict::negative);
      const bool worse = p.verdict == (p.a == arm.name ? Verdict::negative : Verdict::positive);
      return worst ? worse : better;
    });
    if (all && against > 1 && against + 1 == s.arms.size()) return &arm;
  }
  return nullptr;
}

// "by 5.4 to 6.7 points": from each of the others, as they were measured.
std::string distances_text(const StudyOverview& s, const OverviewArm& arm) {
  std::vector<double> distances;
  for (const OverviewPair& p : s.pairs) {
    if (p.a == arm.name || p.b == arm.name) distances.push_back(std::abs(p.difference));
  }
  const auto [least, most] = std::minmax_element(distances.begin(), distances.end());
  const std::string low = points_text(*least, 1, false), high = points_text(*most, 1, false);
  return low == high ? "by " + low + " points" : fmt::format("by {} to {} points", low, high);
}

std::string outsider_text(const StudyOverview& s, const OverviewArm& arm, bool worst) {
  std::vector<OverviewPair> others;
  for (const OverviewPair& p : s.pairs) {
    if (p.a != arm.name && p.b != arm.name) others.push_back(p);
  }
  std::string text = fmt::format(
      "Yes. {} is {} than every other setting in test accuracy, {}{}, {}", arm.name,
      worst ? "worse" : "better", distances_text(s, arm),
      arm.collapsed > 0
          ? fmt::format(" ({} of its {} collapsed)", arm.collapsed, counted(arm.trials, "run"))
          : "",
      for_whom(s));
  if (count(others, Verdict::no_effect) == others.size()) {
    return text + fmt::format("; the other {} are equivalent, within ±{} points.",
                              count_word(s.arms.size() - 1), margin_text(s.margin));
  }
  return text + fmt::format("; of the other {}, {}.", count_word(s.arms.size() - 1),
                            pairs_text(s, others));
}

std::string no_verdict(const StudyOverview& s, const std::string& reason) {
  if (s.seeds < static_cast<std::size_t>(kLeastSeedsForVerdict)) {
    return fmt::format("Not yet: {} of the {} seeds that a verdict takes.", s.seeds,
                       kLeastSeedsForVerdict);
  }
  return "No verdict: " + (reason.empty() ? "nothing can be compared" : reason) + ".";
}

std::string pairs_answer(const StudyOverview& s) {
  if (s.pairs.empty()) return "Nothing is compared: no test images, or one setting alone.";
  const auto allowed = [](const OverviewPair& p) { return p.verdict != Verdict::not_allowed; };
  if (std::none_of(s.pairs.begin(), s.pairs.end(), allowed)) {
    return no_verdict(s, s.pairs.front().reason);
  }
  std::vector<OverviewPair> found;
  for (const OverviewPair& p : s.pairs) {
    if (positive_or_negative(p.verdict)) found.push_back(p);
  }
  if (found.empty()) return nothing_found(s, s.pairs);
  for (const bool worst : {false, true}) {
    if (const OverviewArm* arm = outsider(s, worst)) return outsider_text(s, *arm, worst);
  }
  if (s.pairs.size() == 1) {
    return fmt::format("Yes. {}, {}.", better_text(found.front()), for_whom(s));
  }
  return fmt::format("Yes. Of test accuracy, {}, {}; the largest difference: {}.",
                     pairs_text(s, s.pairs), for_whom(s), better_text(largest(found)));
}

// The claim that a study of nothing but the gap is about; null for any other.
const OverviewClaim* gap_question(const StudyOverview& s) {
  const bool only_gap =
      std::all_of(s.claims.begin(), s.claims.end(), [](const OverviewClaim& c) { return c.gap; });
  return only_gap && !s.claims.empty() ? &s.claims.front() : nullptr;
}

std::string gap_answer(const StudyOverview& s, const OverviewClaim& c) {
  const std::string found =
      c.patients ? fmt::format(
                       "test accuracy is {} points lower than on held-out images of the "
                       "training source",
                       points_text(c.effect, 1, false))
                 : fmt::format("test accuracy is {} points lower than validation accuracy",
                               points_text(c.effect, 1, false));
  const std::string numbers = found + interval_text(c.low, c.high, c.confidence);
  switch (c.verdict) {
    case Verdict::positive:
      return c.shift ? fmt::format(
                           "Yes. {}, and three kinds of evidence name a shift of the images "
                           "as the cause.",
                           capital(numbers))
                     : fmt::format("Yes. {}.", capital(numbers));
    case Verdict::negative:
      return c.effect > 0 ? fmt::format(
                                "No. {}, but the evidence speaks against a shift of the "
                                "images as the cause.",
                                capital(numbers))
                          : fmt::format("No. Test accuracy is not lower: {}.", claim_number(c));
    case Verdict::no_effect:
      return fmt::format("No. There is no gap as large as {} points.", margin_text(s.margin));
    case Verdict::undecided:
      return c.shift ? fmt::format("Not decided. {}, but the cause stays open.", capital(numbers))
                     : fmt::format("Not decided. {}.", capital(numbers));
    case Verdict::not_allowed:
      return no_verdict(s, c.reason);
  }
  return "";
}

// For the paragraph: what came out in half a line, without a subject.
std::string short_finding(const StudyOverview& s) {
  if (const OverviewClaim* gap = gap_question(s)) {
    const std::string found = fmt::format(
        "test accuracy was {} points below that {}{}", points_text(gap->effect, 1, false),
        gap->patients ? "on held-out training images" : "in validation",
        interval_text(gap->low, gap->high, gap->confidence));
    if (gap->verdict == Verdict::not_allowed) return "no verdict";
    if (gap->verdict == Verdict::positive) {
      return found + (gap->shift ? ", because of a shift of the images" : "");
    }
    return found + (gap->shift && gap->effect > 0 ? "; a shift as its cause is not shown" : "");
  }
  std::vector<OverviewPair> found;
  std::size_t allowed = 0;
  for (const OverviewPair& p : s.pairs) {
    if (positive_or_negative(p.verdict)) found.push_back(p);
    allowed += p.verdict != Verdict::not_allowed ? 1U : 0U;
  }
  if (allowed == 0) return "no verdict";
  if (count(s.pairs, Verdict::no_effect) == s.pairs.size()) return "all settings equivalent";
  for (const bool worst : {false, true}) {
    const OverviewArm* arm = outsider(s, worst);
    if (arm == nullptr) continue;
    return fmt::format("{} was {} than all others, {}", arm->name, worst ? "worse" : "better",
                       distances_text(s, *arm));
  }
  const bool all_open = count(s.pairs, Verdict::undecided) == s.pairs.size();
  const std::string pairs = all_open              ? "undecided; "
                            : s.pairs.size() == 1 ? ""
                                                  : pairs_text(s, s.pairs) + "; ";
  return pairs + better_text(largest(found.empty() ? s.pairs : found));
}

struct Counts {
  std::size_t arms = 0, runs = 0, claims = 0, reported = 0, reproduced = 0;
  int collapsed = 0;
  std::array<std::size_t, 5> verdicts{};  // by Verdict
  bool report = false;
  std::vector<std::string> with_collapsed;
};

Counts counts_of(std::span<const StudyOverview> studies) {
  Counts n;
  for (const StudyOverview& s : studies) {
    for (const OverviewArm& arm : s.arms) {
      ++n.arms;
      n.runs += arm.trials;
      n.collapsed += arm.collapsed;
      if (arm.collapsed > 0) n.with_collapsed.push_back(arm.name);
      n.report = n.report || arm.figure > 0 || !std::isnan(arm.reported);
      if (std::isnan(arm.reported) || arm.by_seed.empty()) continue;
      ++n.reported;
      const auto [low, high] = std::minmax_element(arm.by_seed.begin(), arm.by_seed.end());
      n.reproduced += arm.reported >= *low && arm.reported <= *high ? 1U : 0U;
    }
    n.claims += s.claims.size();
    for (const OverviewClaim& c : s.claims) ++n.verdicts.at(static_cast<std::size_t>(c.verdict));
  }
  return n;
}

std::string trained_words(std::span<const StudyOverview> studies, const Counts& n) {
  const StudyOverview& s = studies.front();
  std::size_t fewest = s.seeds, most = s.seeds;
  for (const StudyOverview& study : studies) {
    fewest = std::min(fewest, study.seeds);
    most = std::max(most, study.seeds);
  }
  const std::string seeds =
      fewest == most ? count_word(most) : count_word(fewest) + " to " + count_word(most);
  return fmt::format(
      "Each of {} settings was trained with {} random seeds on {} {} ({} × {} pixels) and tested "
      "on "
      "{}{}. Differences in test accuracy within ±{} points count as equivalent.",
      count_word(n.arms), seeds, s.train, s.simulated ? "simulated chest X-rays" : "images",
      s.width, s.height, counted(s.test, "image"),
      !s.patients_known     ? ""
      : s.shared_groups > 0 ? fmt::format(" of {} ({} of them also in training)",
                                          counted(s.test_groups, "patient"), s.shared_groups)
                            : fmt::format(" of {}", counted(s.test_groups, "patient")),
      margin_text(s.margin));
}

std::string claims_words(const Counts& n) {
  const std::array<std::pair<Verdict, const char*>, 5> kinds{{
      {Verdict::positive, " supported"},
      {Verdict::negative, " refuted"},
      {Verdict::no_effect, " without a difference that matters"},
      {Verdict::undecided, " undecided"},
      {Verdict::not_allowed, " without a verdict"},
  }};
  std::vector<std::string> parts;
  for (const auto& [verdict, words] : kinds) {
    const std::size_t k = n.verdicts.at(static_cast<std::size_t>(verdict));
    if (k > 0) parts.push_back(count_word(k) + words);
  }
  return fmt::format("Of {} {} statement{}: {}.", n.report ? "the report's" : "the",
                     count_word(n.claims), n.claims == 1 ? "" : "s", list_text(parts));
}

}  // namespace

std::string count_word(std::size_t n) {
  constexpr std::array<const char*, 13> kWords{"none", "one",    "two",   "three", "four",
                                               "five", "six",    "seven", "eight", "nine",
                                               "ten",  "eleven", "twelve"};
  return n < kWords.size() ? kWords.at(n) : std::to_string(n);
}

std::string points_text(double value, int digits, bool sign) {
  if (std::isnan(value)) return "-";
  std::string text = sign ? fmt::format("{:+.{}f}", 100 * value, digits)
                          : fmt::format("{:.{}f}", 100 * value, digits);
  // Not "-0.0".
  if (text.find_first_of("123456789") == std::string::npos)
    text = fmt::format("{:.{}f}", 0.0, digits);
  return with_minus(text);
}

std::string plain_answer(const StudyOverview& study) {
  const OverviewClaim* gap = gap_question(study);
  return gap != nullptr ? gap_answer(study, *gap) : pairs_answer(study);
}

std::string claim_verdict_words(Verdict verdict) {
  switch (verdict) {
    case Verdict::positive:
      return "supported";
    case Verdict::negative:
      return "refuted";
    case Verdict::no_effect:
      return "no difference";
    case Verdict::undecided:
      return "undecided";
    case Verdict::not_allowed:
      return "no verdict";
  }
  return "";
}

std::string claim_mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::positive:
      return "✓";
    case Verdict::negative:
      return "✗";
    case Verdict::no_effect:
      return "=";
    case Verdict::undecided:
      return "?";
    case Verdict::not_allowed:
      return "–";
  }
  return "";
}

std::string claim_number(const OverviewClaim& c) {
  if (c.verdict == Verdict::not_allowed && !c.reason.empty()) return c.reason;
  const auto text = [&](double v) { return with_minus(effect_text(v, c.points, c.null_value)); };
  const auto bare = [&](double v) {
    std::string t = text(v);
    for (const char* unit : {" points", " %"}) {
      if (t.ends_with(unit)) t.resize(t.size() - std::string(unit).size());
    }
    return t;
  };
  std::string out = text(c.effect) + (c.null_value > 0 ? " of seeds" : "");
  if (std::isnan(c.low)) return out;
  return out +
         fmt::format(" ({} CI {} to {})", confidence_text(c.confidence), bare(c.low), bare(c.high));
}

std::string claim_scope(const StudyOverview& study, const OverviewClaim& claim) {
  if (!claim.patients) return "new seeds, these images";
  return study.patients_known ? "new seeds and new patients" : "new seeds and new images";
}

std::string shared_patients_text(std::span<const StudyOverview> studies) {
  const auto most = std::max_element(studies.begin(), studies.end(),
                                     [](const StudyOverview& x, const StudyOverview& y) {
                                       return x.shared_groups < y.shared_groups;
                                     });
  if (most == studies.end() || most->shared_groups == 0) return "";
  return fmt::format(
      "{} of the {} test patients also appear in the training images. What is said for new "
      "patients "
      "rests on them, too.",
      most->shared_groups, most->test_groups);
}

std::string paragraph(std::span<const StudyOverview> studies) {
  if (studies.empty()) return "";
  const Counts n = counts_of(studies);
  std::string out = trained_words(studies, n);
  for (const StudyOverview& s : studies) {
    out += fmt::format(" {}: {}.", as_words(s.name), short_finding(s));
  }
  if (n.claims > 0) out += " " + claims_words(n);
  if (n.reported > 0) {
    out += fmt::format(" {} of the report's {} test accuracies {} within the range of our runs.",
                       capital(count_word(n.reproduced)), count_word(n.reported),
                       n.reproduced == 1 ? "lies" : "lie");
  }
  if (n.collapsed > 0) {
    out += fmt::format(" {} of {} runs collapsed ({}).", n.collapsed, n.runs,
                       list_text(n.with_collapsed));
  }
  return out;
}

}  // namespace bioptic
