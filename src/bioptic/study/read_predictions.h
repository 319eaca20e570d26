// Predictions that any program wrote, from CSV files.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "bioptic/study/prediction_table.h"

namespace bioptic {

struct ReadPredictions {
  std::string split = "test";
  bool common = false;   // use the seeds that all arms share, and say so
  std::string positive;  // two classes: the label that `score` speaks for; "" = see below
  // In the units of the scores, finite.  Unset: the column `threshold`, else 0.5 (logits: 0).
  std::optional<double> threshold;
  bool logits = false;  // the scores are logits (or rank like them), no probabilities
};

// Tables as CsvTable reads them, cells as cell.h does.  Columns, in any order; others are ignored:
//   image, label, seed  one row per arm, seed and image; a seed is a whole number
//   score               two classes: probability of the positive one ...
//   score_<class>       ... or one column a class
//   arm                 if absent, the file's name without its ending
//   split               if absent, every row counts as "test"
//   group               patient; absent or missing ("", NA): the image is its own, noted
//   logit (logit_<class>)  ranks use it: probabilities tie at 1
//   threshold, positive    of the row's score: as options above, but in the file
// A label is a name or a whole number (2.0 is 2).  The positive class of two is `positive`, or
// where the labels tell it themselves (positive_class.h), the one that they do; else a column
// `score` is an error that asks.  Columns score_<class> name their classes, so nothing is asked,
// unless a threshold or rows that do not sum to 1 need the positive one;
// PredictionTable::positive_known is then false.  Whole numbers that are not all names of classes
// count these columns from 0, and 1 is the positive one.
//
// A score that is empty, NaN or infinite counts as wrong and is noted.  One up to 1e-6 outside
// [0, 1] is rounding: it is cut, and noted.  One further outside is an error, unless `logits`.  An
// arm whose scores are all exactly 0 or 1 is marked as hard.
//
// A trial is taken for collapsed when it gives all images of "val", where the files hold them, else
// of this split, one class.
//
// Throws InputError naming file and line of the first offender: a column that is missing, a row
// given twice, an image with two labels or two groups, something that is not a number, a score that
// is no probability; and for a positive class that nothing tells, for logits that are none
// (score_scale.h), for arms with other seeds (unless `common`), for a seed whose arms were scored
// on other images, for one arm only.
PredictionTable read_predictions(std::span<const std::filesystem::path> files,
                                 const ReadPredictions& options);

}  // namespace bioptic
