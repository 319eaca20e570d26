// Whether scores of a file of predictions are on the scale that they are said to be on:
// probabilities, or logits.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace bioptic {

// A probability may lie so far outside [0, 1]: sums and softmax in float32 do.
inline constexpr double kRoundingOfScore = 1e-6;

class ScoreScale {
 public:
  explicit ScoreScale(bool logits) : logits_(logits) {}

  // One row's scores.  Probabilities that are outside [0, 1] by rounding are cut; scores that are
  // not finite pass.  `columns`: the name of each score's column; `where`: file and line, asked
  // only when it is said.  Throws InputError for a score that is no probability.
  void take(std::span<double> scores, const std::vector<std::string>& columns,
            const std::function<std::string()>& where);

  // After the last row.  Throws InputError for logits that all lie in [0, 1], or, of two classes
  // with one column, all on one side of 0 where no threshold was given.
  void check(bool threshold_given) const;

  // Whether these are logits of one column that all lie on one side of 0: no logits, but others
  // whose order counts.
  bool only_order() const;

  // What was cut, as a sentence; "" if nothing.
  std::string note() const;

 private:
  bool logits_ = false, one_column_ = false;
  double least_ = 0, most_ = 0;
  bool any_ = false;
  std::size_t cut_ = 0;
  std::string first_, first_cut_;
};

}  // namespace bioptic
