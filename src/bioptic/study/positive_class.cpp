#include "bioptic/study/positive_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "bioptic/stats/roc.h"

namespace bioptic {
namespace {

// Negative, positive.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kClear = {{
    {"0", "1"},
    {"-1", "1"},
    {"false", "true"},
    {"no", "yes"},
    {"negative", "positive"},
}};

std::string mapped(std::string_view text, int (*letter)(int)) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(letter(static_cast<unsigned char>(c)));
  return out;
}
std::string lower(std::string_view text) { return mapped(text, std::tolower); }

// `word` written as `like` is: all capitals, a capital first, or neither.
std::string in_case_of(std::string_view word, const std::string& like) {
  const auto capital = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  if (like.size() > 1 && std::all_of(like.begin(), like.end(), capital)) {
    return mapped(word, std::toupper);
  }
  std::string out(word);
  if (!like.empty() && capital(like[0])) out[0] = mapped(word.substr(0, 1), std::toupper)[0];
  return out;
}

}  // namespace

std::string clear_partner(const std::string& label) {
  const std::string own = lower(label);
  for (const auto& [negative, positive] : kClear) {
    if (own == negative) return in_case_of(positive, label);
    if (own == positive) return in_case_of(negative, label);
  }
  return "";
}

bool clearly_positive(const std::string& positive, const std::string& other) {
  return std::any_of(kClear.begin(), kClear.end(), [&](const auto& pair) {
    return lower(other) == pair.first && lower(positive) == pair.second;
  });
}

std::optional<double> mean_auroc(const PredictionTable& table) {
  double arms = 0, sum = 0;
  for (const PredictedArm& arm : table.arms) {
    double trials = 0, of_arm = 0;
    for (const PredictedTrial& trial : arm.trials) {
      std::vector<double> ranks;
      std::vector<int> truth;
      for (std::size_t i = 0; i < trial.images.size(); ++i) {
        if (!std::isfinite(trial.ranks[i])) continue;
        ranks.push_back(trial.ranks[i]);
        truth.push_back(table.images[trial.images[i]].label == table.positive ? 1 : 0);
      }
      const std::optional<double> area = auroc(ranks, truth);
      if (!area) return std::nullopt;
      of_arm += *area;
      trials += 1;
    }
    if (trials == 0) continue;
    sum += of_arm / trials;
    arms += 1;
  }
  if (arms == 0) return std::nullopt;
  return sum / arms;
}

std::string ask_positive(const PredictionTable& table, const std::string& what) {
  const std::string &one = table.classes[0], &two = table.classes[1];
  std::string out = fmt::format(
      "the labels are '{}' and '{}', and nothing tells which of them {}; add --positive {} or "
      "--positive {} (or a column 'positive')",
      one, two, what, shell_word(one), shell_word(two));
  const std::optional<double> area =
      table.named_columns ? std::nullopt : mean_auroc(table);  // else the same for both
  if (area) {
    const double of_two = table.positive == 1 ? *area : 1 - *area;
    out += fmt::format(
        ". The mean AUROC of all arms is {:.2f} with --positive {} and {:.2f} with --positive {}",
        1 - of_two, shell_word(one), of_two, shell_word(two));
  }
  return out;
}

std::string shell_word(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-+./:@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace bioptic
