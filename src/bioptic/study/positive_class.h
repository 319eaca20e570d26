// Which of two labels is the positive one, where the labels say so themselves; and asking where
// they do not.  It is never guessed from the alphabet: with labels "cancer" and "normal" and the
// probability of cancer as score, every verdict would be turned round.
#pragma once

#include <optional>
#include <string>

#include "bioptic/study/prediction_table.h"

namespace bioptic {

// The label that `label` is answered with where the pair is clear, else "": 0 and 1, -1 and 1
// (given "-1" or "1": 1 alone is taken for that of 0 and 1), false and true, no and yes, negative
// and positive, words in any case ("TRUE" gives "FALSE").
std::string clear_partner(const std::string& label);

// Whether `positive` is the positive one of the two: the second of a pair above.
bool clearly_positive(const std::string& positive, const std::string& other);

// Mean area under the ROC curve over the trials of every arm, then over arms, two classes; images
// whose score is not finite are passed over.  Nothing where a class is absent.
std::optional<double> mean_auroc(const PredictionTable& table);

// What to say where nothing tells which of two classes is positive: `what` ("a score speaks for"),
// the two choices, and what each makes of the mean AUROC of a column `score`.  One sentence or two
// on one line.
std::string ask_positive(const PredictionTable& table, const std::string& what);

// A word as a shell takes it: in quotes where it must be.
std::string shell_word(const std::string& word);

}  // namespace bioptic
