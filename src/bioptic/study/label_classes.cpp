#include "bioptic/study/label_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bioptic/base/error.h"
#include "bioptic/study/positive_class.h"

namespace bioptic {
namespace {

std::optional<std::int64_t> as_number(const std::string& label) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value);
  if (error != std::errc() || end != label.data() + label.size()) return std::nullopt;
  return value;
}

bool in_order(const std::string& a, const std::string& b) {
  const std::optional<std::int64_t> x = as_number(a), y = as_number(b);
  return x && y ? *x < *y : a < b;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

LabelClasses by_column(const std::set<std::string>& labels, const LabelEvidence& evidence,
                       const std::function<std::string(const std::string&)>& where) {
  LabelClasses out;
  out.classes = evidence.columns;
  const auto classes = static_cast<std::int64_t>(out.classes.size());
  const bool named = std::all_of(labels.begin(), labels.end(),
                                 [&](const std::string& l) { return holds(out.classes, l); });
  const auto counts = [&](const std::string& label) {
    const std::optional<std::int64_t> number = as_number(label);
    return number && *number >= 0 && *number < classes;
  };
  // Of several that are no column's number, the one to name is one that is no column's name either.
  auto odd = std::find_if(labels.begin(), labels.end(), [&](const std::string& l) {
    return !counts(l) && !holds(out.classes, l);
  });
  if (odd == labels.end()) odd = std::find_if_not(labels.begin(), labels.end(), counts);
  if (!named && odd != labels.end()) {
    throw InputError(fmt::format("{}: label '{}' has no score column; there are columns for {}",
                                 where(*odd), *odd, fmt::join(out.classes, ", ")));
  }
  if (!named) {
    for (const std::string& label : labels) {
      out.of_label[label] = static_cast<std::size_t>(*as_number(label));
    }
  }
  for (std::size_t c = 0; c < out.classes.size(); ++c) out.of_label.try_emplace(out.classes[c], c);
  return out;
}

LabelClasses by_order(std::set<std::string> labels, const std::string& positive) {
  // A file whose images are all of one class still knows the other: of a pair that is clear, or
  // the one that was named.
  if (labels.size() == 1) {
    const std::string only = *labels.begin(), partner = clear_partner(only);
    if (positive.empty() && partner.empty()) {
      throw InputError(
          fmt::format("all images have the label '{}', so it is not known whether scores speak for "
                      "it; say --positive {} if they do",
                      only, shell_word(only)));
    }
    if (!positive.empty() && positive != only) {
      labels.insert(positive);
    } else {
      labels.insert(partner.empty() ? "not " + only : partner);
    }
  }
  if (labels.size() > 2) {
    throw InputError(fmt::format(
        "there are {} labels ({}) and one column 'score'; expected a column score_<class> for each "
        "class",
        labels.size(), fmt::join(labels, ", ")));
  }
  LabelClasses out;
  out.classes.assign(labels.begin(), labels.end());
  std::sort(out.classes.begin(), out.classes.end(), in_order);
  for (std::size_t c = 0; c < out.classes.size(); ++c) out.of_label[out.classes[c]] = c;
  return out;
}

// Of two classes where neither an option nor a column names it.
void decide_positive(LabelClasses& out, const std::set<std::string>& labels,
                     const LabelEvidence& evidence) {
  const std::string &one = out.classes[0], &two = out.classes[1];
  const bool columns = !evidence.columns.empty();
  // Labels 0 and 1 that count columns with names.
  const bool counted = columns && std::all_of(labels.begin(), labels.end(), [&](const auto& l) {
                         return (l == "0" || l == "1") && !holds(out.classes, l);
                       });
  if (clearly_positive(one, two)) {
    out.positive = 0;
  } else if (!clearly_positive(two, one) && !counted) {
    out.positive = in_order(one, two) ? 1 : 0;
    if (!columns) {
      out.asks = "a score speaks for";
    } else if (evidence.threshold_given) {
      out.asks = "the threshold is for";
    } else if (!evidence.uneven.empty()) {
      out.asks =
          fmt::format("counts, as the scores of a row do not sum to 1 (first {})", evidence.uneven);
    } else {
      out.positive_known = false;
    }
  }
}

}  // namespace

LabelClasses label_classes(const std::set<std::string>& labels, const LabelEvidence& evidence,
                           const std::function<std::string(const std::string&)>& where) {
  LabelClasses out = evidence.columns.empty() ? by_order(labels, evidence.positive)
                                              : by_column(labels, evidence, where);
  if (out.classes.size() != 2) return out;
  if (evidence.positive.empty()) {
    decide_positive(out, labels, evidence);
    return out;
  }
  const auto positive = out.of_label.find(evidence.positive);
  if (positive == out.of_label.end()) {
    const std::vector<std::string_view> known(out.classes.begin(), out.classes.end());
    throw InputError(fmt::format("no class is called '{}'{}", evidence.positive,
                                 suggestion(evidence.positive, known)));
  }
  out.positive = positive->second;
  return out;
}

}  // namespace bioptic
