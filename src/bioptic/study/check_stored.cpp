#include "bioptic/study/check_stored.h"

#include <fmt/format.h>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"

namespace bioptic {

void check_stored_study(const StudySummary& summary) {
  const std::size_t classes = summary.dataset.classes.size();
  const auto fail = [&](const std::string& why) {
    throw Failure(
        fmt::format("the store's record of study '{}' is damaged: {}", summary.name, why));
  };
  if (classes < 2) fail(fmt::format("its dataset has {}", counted(classes, "class")));
  if (summary.positive < 0 || static_cast<std::size_t>(summary.positive) >= classes) {
    fail(fmt::format("its positive class is number {} of {}", summary.positive, classes));
  }
  for (const StudyImage image : summary.images) {
    if (image.label < 0 || static_cast<std::size_t>(image.label) >= classes) {
      fail(fmt::format("image {} has the label {}", image.id, image.label));
    }
  }
}

void check_stored_trial(const std::string& trial_id, const TrialResult& result, std::size_t images,
                        int outputs) {
  for (const SplitPredictions& split : result.predictions) {
    const auto fail = [&](const std::string& why) {
      throw Failure(
          fmt::format("the store's record of trial {} is damaged: the predictions of its "
                      "split '{}' {}",
                      trial_id, split.split, why));
    };
    if (split.logits.size() != split.rows.size() * static_cast<std::size_t>(outputs)) {
      fail(fmt::format("are {} of {}", counted(split.logits.size(), "logit"),
                       counted(split.rows.size(), "image")));
    }
    for (const std::uint32_t row : split.rows) {
      if (row >= images) fail(fmt::format("name image {} of {}", row, images));
    }
  }
}

}  // namespace bioptic
