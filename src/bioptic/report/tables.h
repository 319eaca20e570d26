// The tables of a study as text.  CSV by RFC 4180, numbers in the shortest digits that read back
// exactly, rows in the order of arms and seeds: the same trials give the same bytes.
#pragma once

#include <filesystem>
#include <string>

#include "bioptic/study/summary.h"

namespace bioptic {

// arm, seed, seed_split, seed_init, seed_order, status, epochs, steps, train_loss, train_accuracy,
// val_loss, val_accuracy, test_loss, test_accuracy, wall_seconds
std::string trials_csv(const StudySummary& summary);
// arm, seed, epoch, step, lr, train_loss, train_accuracy, val_loss, val_accuracy; and
// train_eval_loss, train_eval_accuracy where an arm has them
std::string history_csv(const StudySummary& summary);
// arm, seed, split, image, group, label, score, logit: of the positive class (two logits: their
// difference); positive where that is not label 1, threshold where one is not 0.5.  More than two
// classes: score_<class>..., logit_<class>...
// Written row by row, as there may be very many.  Throws as write_file() does.
void write_predictions_csv(const StudySummary& summary, const std::filesystem::path& file);

// One row an arm: what it sets, mean, sd and 95 % interval of the main metrics, seeds, collapsed.
std::string arms_csv(const StudySummary& summary);
std::string arms_markdown(const StudySummary& summary);
std::string arms_tex(const StudySummary& summary);

// The metrics that the tables of arms show, in order, with their headings; accuracies in per cent.
struct ShownMetric {
  const char* key;
  const char* heading;
  bool percent;
};
std::vector<ShownMetric> shown_metrics(const StudySummary& summary);

// Score and logit of the positive class (two classes).
float score_of(const ArmSummary& arm, int positive, const float* logits);
float logit_of(const ArmSummary& arm, int positive, const float* logits);

}  // namespace bioptic
