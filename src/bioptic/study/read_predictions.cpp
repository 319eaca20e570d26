#include "bioptic/study/read_predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bioptic/base/counted.h"
#include "bioptic/base/error.h"
#include "bioptic/study/label_classes.h"
#include "bioptic/study/positive_class.h"
#include "bioptic/study/prediction_rows.h"
#include "bioptic/study/score_scale.h"

namespace bioptic {
namespace {

// Where something was said first.
struct Place {
  std::uint32_t file = 0;
  std::size_t line = 0;  // 0: nowhere yet
};

struct RawImage {
  std::string id, label, group;
  Place place;
  bool no_group = false;  // a column 'group' names none
};

struct RawTrial {
  std::int64_t seed = 0;
  std::vector<std::size_t> images;    // in the order of the rows
  std::vector<Place> place_of_image;  // by image, as far as seen
  std::vector<double> scores, logits;
  std::vector<double> thresholds;
  // Of the rows of "val", as far as they tell whether all images were given one class.
  bool called = false, not_called = false, unreadable = false;
  std::set<std::size_t> val_classes;
};

struct RawArm {
  std::string name;
  std::vector<RawTrial> trials;  // in the order of first rows
  std::map<std::int64_t, std::size_t> of_seed;
};

constexpr double kToleranceOfSum = 1e-3;  // of probabilities that were rounded to a few digits

class Reader {
 public:
  Reader(std::span<const std::filesystem::path> files, const ReadPredictions& options)
      : files_(files), options_(options), split_(split_of(options.split)), scale_(options.logits) {
    if (options.threshold && !std::isfinite(*options.threshold)) {
      throw InputError("--threshold is not a finite number");
    }
  }

  PredictionTable read() {
    for (std::size_t f = 0; f < files_.size(); ++f) read_file(f);
    if (images_.empty()) no_rows();
    decide_classes();
    check_arms();
    scale_.check(threshold_given_);
    PredictionTable out = table();
    if (!known_.asks.empty()) {
      throw InputError(fmt::format("{}: {}", files_[0].string(), ask_positive(out, known_.asks)));
    }
    return out;
  }

 private:
  std::string where(const Place& place) const {
    return fmt::format("{}:{}", files_[place.file].string(), place.line);
  }

  void read_file(std::size_t f) {
    PredictionFile info;
    std::vector<std::size_t> order;  // of this file's classes in columns_
    std::vector<std::string> columns = {"score"};
    read_prediction_rows(
        files_[f],
        [&](const PredictionFile& header) {
          info = header;
          notes_.insert(notes_.end(), header.notes.begin(), header.notes.end());
          any_split_ = any_split_ || header.has_split;
          take_classes(f, header);
          if (!columns_.empty()) columns.clear();
          for (const std::string& name : header.classes) columns.push_back("score_" + name);
          if (options_.logits && header.has_logits) {
            throw InputError(fmt::format(
                "{}: there is a column of logits besides the scores; expected --logits only where "
                "the scores are the logits",
                files_[f].string()));
          }
          for (const std::string& name : columns_) {
            order.push_back(static_cast<std::size_t>(
                std::find(header.classes.begin(), header.classes.end(), name) -
                header.classes.begin()));
          }
        },
        [&](PredictionRow& row) {
          scale_.take(row.scores, columns, [&] {
            return where({static_cast<std::uint32_t>(f), row.line});
          });
          take(row, static_cast<std::uint32_t>(f), order);
        });
  }

  void take_classes(std::size_t f, const PredictionFile& header) {
    if (f == 0) {
      columns_ = header.classes;
      return;
    }
    std::vector<std::string> mine = columns_, theirs = header.classes;
    std::sort(mine.begin(), mine.end());
    std::sort(theirs.begin(), theirs.end());
    if (mine == theirs) return;
    const auto words = [](const std::vector<std::string>& classes) {
      return classes.empty() ? std::string("a column 'score'")
                             : fmt::format("score columns for {}", fmt::join(classes, ", "));
    };
    throw InputError(fmt::format("{} has {}, but {} has {}; expected the same", files_[f].string(),
                                 words(header.classes), files_[0].string(), words(columns_)));
  }

  RawTrial& trial_of(const PredictionRow& row) {
    const auto [arm_at, new_arm] = arm_of_.try_emplace(row.arm, arms_.size());
    if (new_arm) arms_.emplace_back().name = row.arm;
    RawArm& arm = arms_[arm_at->second];
    const auto [at, new_trial] = arm.of_seed.try_emplace(row.seed, arm.trials.size());
    if (new_trial) arm.trials.emplace_back().seed = row.seed;
    return arm.trials[at->second];
  }

  void take(const PredictionRow& row, std::uint32_t file, const std::vector<std::size_t>& order) {
    splits_.insert(row.split);
    const Place place{file, row.line};
    if (!row.positive.empty()) {
      if (positive_.empty()) {
        positive_ = row.positive;
      } else if (positive_ != row.positive) {
        throw InputError(fmt::format("{}: positive is '{}', before it was '{}'", where(place),
                                     row.positive, positive_));
      }
    }
    if (row.split != split_) {
      if (row.split == "val") take_validation(row);
      return;
    }
    RawTrial& trial = trial_of(row);
    const std::size_t image = image_of(row, place);
    if (trial.place_of_image.size() <= image) trial.place_of_image.resize(image + 1);
    Place& before = trial.place_of_image[image];
    if (before.line != 0) {
      throw InputError(fmt::format(
          "{}: image '{}' of arm '{}', seed {} stands here for the second time; the first is {}{}",
          where(place), row.image, row.arm, row.seed, where(before),
          row.arm_of_file && place.file != before.file
              ? ". Without a column 'arm' a file's name is its arm: name the files after their "
                "arms, or add the column"
              : ""));
    }
    before = place;
    const std::size_t columns = row.scores.size();
    trial.images.push_back(image);
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t from = order.empty() ? c : order[c];
      trial.scores.push_back(row.scores[from]);
      if (!row.logits.empty()) trial.logits.push_back(row.logits[from]);
    }
    if (!trial.logits.empty() && trial.logits.size() != trial.scores.size()) {
      throw InputError(
          fmt::format("{}: arm '{}', seed {} has a logit in some files and not in "
                      "others; expected all or none",
                      where(place), row.arm, row.seed));
    }
    if (std::any_of(row.scores.begin(), row.scores.end(),
                    [](double s) { return !std::isfinite(s); })) {
      if (not_finite_ == 0) first_not_finite_ = place;
      ++not_finite_;
    }
    trial.thresholds.push_back(threshold_of(row));
    threshold_given_ = threshold_given_ || trial.thresholds.back() != usual_threshold();
    check_sum(row, place);
  }

  double usual_threshold() const { return options_.logits ? 0.0 : 0.5; }
  double threshold_of(const PredictionRow& row) const {
    return options_.threshold.value_or(row.threshold.value_or(usual_threshold()));
  }

  // Two columns that sum to 1 say the same about either class.
  void check_sum(const PredictionRow& row, const Place& place) {
    if (options_.logits || row.scores.size() != 2 || uneven_.line != 0) return;
    const double sum = row.scores[0] + row.scores[1];
    if (std::isfinite(sum) && std::abs(sum - 1) > kToleranceOfSum) uneven_ = place;
  }

  std::size_t image_of(const PredictionRow& row, const Place& place) {
    const auto [at, added] = image_of_.try_emplace(row.image, images_.size());
    if (added) {
      images_.push_back({row.image, row.label, row.group, place});
      images_.back().no_group = row.no_group;
      return at->second;
    }
    const RawImage& image = images_[at->second];
    if (image.label != row.label) {
      throw InputError(fmt::format("{}: image '{}' has the label '{}', but at {} it is '{}'",
                                   where(place), row.image, row.label, where(image.place),
                                   image.label));
    }
    if (image.group != row.group) {
      throw InputError(fmt::format("{}: image '{}' is of the group '{}', but at {} of '{}'",
                                   where(place), row.image, row.group, where(image.place),
                                   image.group));
    }
    return at->second;
  }

  void take_validation(const PredictionRow& row) {
    RawTrial& trial = trial_of(row);
    if (std::any_of(row.scores.begin(), row.scores.end(),
                    [](double s) { return !std::isfinite(s); })) {
      trial.unreadable = true;
    } else if (row.scores.size() == 1) {
      (row.scores[0] > threshold_of(row) ? trial.called : trial.not_called) = true;
    } else {
      const std::vector<double>& decides = row.logits.empty() ? row.scores : row.logits;
      trial.val_classes.insert(static_cast<std::size_t>(
          std::max_element(decides.begin(), decides.end()) - decides.begin()));
    }
  }

  [[noreturn]] void no_rows() const {
    const std::string file = files_[0].string();
    if (!any_split_) {
      throw InputError(fmt::format(
          "no row is of the split '{}': {} has no column 'split', so all rows count as 'test'",
          split_, file));
    }
    throw InputError(fmt::format("no row is of the split '{}'; {} has {} (choose with --split)",
                                 split_, files_.size() == 1 ? file : "the files have",
                                 fmt::join(splits_, ", ")));
  }

  void decide_classes() {
    std::set<std::string> labels;
    for (const RawImage& image : images_) labels.insert(image.label);
    LabelEvidence evidence;
    evidence.columns = columns_;
    evidence.positive = options_.positive.empty() ? positive_ : label_text(options_.positive);
    evidence.threshold_given = threshold_given_;
    if (uneven_.line != 0) evidence.uneven = where(uneven_);
    known_ = label_classes(labels, evidence, [&](const std::string& label) {
      const auto image = std::find_if(images_.begin(), images_.end(),
                                      [&](const RawImage& i) { return i.label == label; });
      return where(image->place);
    });
    const std::size_t classes = known_.classes.size();
    if (classes == 2) return;
    if (!options_.positive.empty()) {
      throw InputError("--positive is for two classes; these files have " +
                       std::to_string(classes));
    }
    if (options_.threshold) {
      throw InputError(fmt::format(
          "--threshold is for two classes; these files have {}, and an image is called the class "
          "of its largest score",
          classes));
    }
  }

  void check_arms() {
    for (RawArm& arm : arms_) {
      // Trials that have rows of another split only.
      std::erase_if(arm.trials, [](const RawTrial& t) { return t.images.empty(); });
    }
    std::erase_if(arms_, [](const RawArm& arm) { return arm.trials.empty(); });
    if (arms_.size() < 2) {
      throw InputError(fmt::format(
          "there is one arm, '{}', and so nothing to compare; expected a column 'arm' with several "
          "names, or a file for each arm",
          arms_[0].name));
    }
    share_seeds();
    for (const RawTrial& first : arms_[0].trials) {
      for (std::size_t a = 1; a < arms_.size(); ++a) {
        const auto other = std::find_if(arms_[a].trials.begin(), arms_[a].trials.end(),
                                        [&](const RawTrial& t) { return t.seed == first.seed; });
        expect_images_of(first, arms_[0].name, *other, arms_[a].name);
        expect_images_of(*other, arms_[a].name, first, arms_[0].name);
      }
    }
  }

  // Every image of `one` must be in `other`.
  void expect_images_of(const RawTrial& one, const std::string& one_arm, const RawTrial& other,
                        const std::string& other_arm) const {
    for (const std::size_t image : one.images) {
      if (image < other.place_of_image.size() && other.place_of_image[image].line != 0) continue;
      throw InputError(fmt::format(
          "{}: seed {} of arm '{}' has image '{}', which seed {} of arm '{}' has not; arms are "
          "compared on the same images",
          where(one.place_of_image[image]), one.seed, one_arm, images_[image].id, one.seed,
          other_arm));
    }
  }

  std::set<std::int64_t> seeds_of(const RawArm& arm) const {
    std::set<std::int64_t> seeds;
    for (const RawTrial& t : arm.trials) seeds.insert(t.seed);
    return seeds;
  }

  void share_seeds() {
    std::set<std::int64_t> all, shared = seeds_of(arms_[0]);
    for (const RawArm& arm : arms_) {
      const std::set<std::int64_t> own = seeds_of(arm);
      all.insert(own.begin(), own.end());
      std::erase_if(shared, [&](std::int64_t s) { return !own.contains(s); });
    }
    if (shared.size() == all.size()) return;
    const std::int64_t odd =
        *std::find_if(all.begin(), all.end(), [&](std::int64_t s) { return !shared.contains(s); });
    std::string has, lacks;
    for (const RawArm& arm : arms_) (seeds_of(arm).contains(odd) ? has : lacks) = arm.name;
    if (!options_.common) {
      throw InputError(fmt::format(
          "arm '{}' has seed {} and arm '{}' has not; seeds pair arms, so both need the same "
          "ones{}",
          has, odd, lacks,
          shared.empty()
              ? fmt::format(
                    ", and the {} arms share none. Where each file is one seed, name the arm "
                    "in a column 'arm'; trainings that were numbered apart are not paired",
                    arms_.size())
              : fmt::format(
                    " (--common uses the {} that all arms share; a seed left out because its "
                    "training failed makes its arm look better)",
                    counted(shared.size(), "seed"))));
    }
    if (shared.empty()) throw InputError("the arms share no seed at all, so nothing pairs them");
    std::vector<std::int64_t> left;
    for (const std::int64_t s : all) {
      if (!shared.contains(s)) left.push_back(s);
    }
    notes_.push_back(fmt::format("Only the {} that all arms share are used; left out: {}.",
                                 counted(shared.size(), "seed"), fmt::join(left, ", ")));
    for (RawArm& arm : arms_) {
      std::erase_if(arm.trials, [&](const RawTrial& t) { return !shared.contains(t.seed); });
    }
  }

  void add(const RawTrial& raw, PredictedTrial& trial) const {
    const std::size_t columns = raw.scores.size() / raw.images.size();
    for (std::size_t i = 0; i < raw.images.size(); ++i) {
      const std::size_t label = known_.of_label.at(images_[raw.images[i]].label);
      const std::span scores = std::span(raw.scores).subspan(i * columns, columns);
      const std::span logits = raw.logits.empty()
                                   ? std::span<const double>{}
                                   : std::span(raw.logits).subspan(i * columns, columns);
      if (options_.logits) {
        add_logits(raw, i, scores, trial);
        continue;
      }
      if (columns > 2) {
        add_multiclass(trial, label, scores, logits);
        continue;
      }
      const std::size_t p = columns == 2 ? known_.positive : 0;
      std::optional<double> logit;
      if (!logits.empty()) logit = columns == 2 ? logits[p] - logits[1 - p] : logits[0];
      const bool finite = std::isfinite(scores[0]) && std::isfinite(scores[columns - 1]);
      add_binary(trial, known_.positive, label,
                 finite ? scores[p] : std::numeric_limits<double>::quiet_NaN(), logit,
                 raw.thresholds[i]);
    }
  }

  // Of one image whose scores are logits.
  void add_logits(const RawTrial& raw, std::size_t i, std::span<const double> scores,
                  PredictedTrial& trial) const {
    const std::size_t label = known_.of_label.at(images_[raw.images[i]].label);
    if (scores.size() > 2) {
      add_multiclass_logits(trial, label, scores);
      return;
    }
    const double logit =
        scores.size() == 1 ? scores[0] : scores[known_.positive] - scores[1 - known_.positive];
    add_binary_logit(trial, known_.positive, label, logit, raw.thresholds[i]);
  }

  // See PredictedArm.
  bool hard(const RawArm& arm) const {
    if (options_.logits) return false;
    bool zero = false, one = false;
    for (const RawTrial& trial : arm.trials) {
      if (!trial.logits.empty()) return false;
      for (const double s : trial.scores) {
        if (!std::isfinite(s)) continue;
        if (s != 0 && s != 1) return false;
        (s == 0 ? zero : one) = true;
      }
    }
    return zero && one;
  }

  bool collapsed(const RawTrial& raw, const PredictedTrial& trial) const {
    const std::size_t classes =
        raw.val_classes.size() + (raw.called ? 1 : 0) + (raw.not_called ? 1 : 0);
    if (classes > 0) return classes == 1;
    // Nothing but scores that are not finite is no class at all.
    if (raw.unreadable || trial.not_finite == trial.predicted.size()) return true;
    return trial.predicted.size() > 1 &&
           std::all_of(trial.predicted.begin(), trial.predicted.end(),
                       [&](std::size_t c) { return c == trial.predicted.front(); });
  }

  PredictionTable table() {
    PredictionTable out;
    out.split = split_;
    out.classes = known_.classes;
    out.positive = known_.positive;
    out.positive_known = known_.positive_known;
    out.named_columns = !columns_.empty();
    std::vector<std::string> groups;
    for (const RawImage& image : images_) {
      out.images.push_back({image.id, known_.of_label.at(image.label), 0});
      groups.push_back(image.group);
    }
    for (const RawArm& arm : arms_) {
      PredictedArm& to = out.arms.emplace_back();
      to.name = arm.name;
      to.hard = hard(arm);
      for (const RawTrial& raw : arm.trials) {
        PredictedTrial& trial = to.trials.emplace_back();
        trial.seed = raw.seed;
        trial.images = raw.images;
        add(raw, trial);
        trial.collapsed = collapsed(raw, trial);
      }
    }
    drop_unused_images(out, groups);
    put_in_order(out, groups);
    if (scale_.only_order()) out.probabilities = false;
    note(out);
    return out;
  }

  // Images that only left-out seeds had.
  static void drop_unused_images(PredictionTable& table, std::vector<std::string>& groups) {
    std::vector<std::size_t> place(table.images.size(), 0);
    for (const PredictedArm& arm : table.arms) {
      for (const PredictedTrial& trial : arm.trials) {
        for (const std::size_t i : trial.images) place[i] = 1;
      }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < place.size(); ++i) {
      if (place[i] == 0) continue;
      place[i] = kept;
      table.images[kept] = table.images[i];
      groups[kept++] = groups[i];
    }
    table.images.resize(kept);
    groups.resize(kept);
    for (PredictedArm& arm : table.arms) {
      for (PredictedTrial& trial : arm.trials) {
        for (std::size_t& i : trial.images) i = place[i];
      }
    }
  }

  // "; by arm and seed: a 0: 3, a 1: 2": where they are, and whether one training is to blame.
  static std::string not_finite_by_trial(const PredictionTable& table) {
    constexpr std::size_t kMost = 12;
    std::vector<std::string> trials;
    for (const PredictedArm& arm : table.arms) {
      for (const PredictedTrial& trial : arm.trials) {
        if (trial.not_finite == 0) continue;
        trials.push_back(fmt::format("{} seed {}: {}", arm.name, trial.seed, trial.not_finite));
      }
    }
    if (trials.empty()) return "";  // only in seeds that were left out
    const std::size_t shown = std::min(trials.size(), kMost);
    return fmt::format(
        "; {}{}",
        fmt::join(trials.begin(), trials.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
        trials.size() > shown ? fmt::format(" and {} more trainings", trials.size() - shown) : "");
  }

  std::string logits_note() const {
    if (known_.classes.size() > 2) {
      return "Scores are read as logits: probabilities by the softmax. Where they are scores of "
             "another kind, Brier score and log loss mean nothing.";
    }
    const std::string threshold = options_.threshold ? fmt::format("{}", *options_.threshold)
                                  : threshold_given_ ? "that of the files"
                                                     : "0";
    const std::string positive =
        fmt::format("an image counts as positive above the threshold, {}", threshold);
    if (scale_.only_order()) {
      return "All scores lie on one side of 0, so they are no logits, and only their order "
             "counts: " +
             positive + "; Brier score and log loss are left out.";
    }
    return fmt::format(
        "Scores are read as logits: {}, and probabilities are 1 / (1 + exp(-score)). Where they "
        "are scores of another kind, Brier score and log loss mean nothing.",
        positive);
  }

  static std::string hard_note(const PredictionTable& table) {
    std::vector<std::string> names;
    for (const PredictedArm& arm : table.arms) {
      if (arm.hard) names.push_back(arm.name);
    }
    if (names.empty()) return "";
    return fmt::format(
        "All scores of {} are 0 or 1: labels, no probabilities. So the arms are judged on accuracy "
        "and its kin only; AUROC, Brier score and log loss need probabilities{}.",
        fmt::join(names, ", "), names.size() < table.arms.size() ? " of every arm" : "");
  }

  // Of files that name a group for some images.
  std::string ungrouped_note() const {
    const auto without = static_cast<std::size_t>(std::count_if(
        images_.begin(), images_.end(), [](const RawImage& image) { return image.no_group; }));
    if (without == 0 || without == images_.size()) return "";
    return fmt::format(
        "{} of {} images name no group (an empty cell, NA, nan, None or the like); each counts as "
        "a patient of its own.",
        without, images_.size());
  }

  void note(PredictionTable& table) {
    if (known_.classes.size() == 2 && known_.positive_known) {
      notes_.insert(notes_.begin(), fmt::format("A score speaks for label {} (the other is {}).",
                                                known_.classes[known_.positive],
                                                known_.classes[1 - known_.positive]));
    }
    if (known_.classes.size() == 2 && !known_.positive_known) {
      notes_.insert(notes_.begin(),
                    fmt::format("Nothing tells which of {} and {} is the positive class, so "
                                "sensitivity and specificity are left out; --positive {} or "
                                "--positive {} gives them.",
                                known_.classes[0], known_.classes[1], shell_word(known_.classes[0]),
                                shell_word(known_.classes[1])));
    }
    if (const std::string ungrouped = ungrouped_note(); !ungrouped.empty()) {
      notes_.push_back(ungrouped);
    }
    if (const std::string cut = scale_.note(); !cut.empty()) notes_.push_back(cut);
    if (options_.logits) notes_.push_back(logits_note());
    if (not_finite_ > 0) {
      notes_.push_back(fmt::format("{} row{} no finite score and count{} as wrong: first {}{}.",
                                   not_finite_, not_finite_ == 1 ? " has" : "s have",
                                   not_finite_ == 1 ? "s" : "", where(first_not_finite_),
                                   not_finite_by_trial(table)));
    }
    if (!table.probabilities && !options_.logits) {
      notes_.emplace_back(
          "The scores of some rows do not sum to 1 over the classes, so they are no probabilities: "
          "Brier score and log loss are left out.");
    }
    if (const std::string labels = hard_note(table); !labels.empty()) notes_.push_back(labels);
    table.notes = notes_;
  }

  const std::span<const std::filesystem::path> files_;
  const ReadPredictions& options_;
  const std::string split_;
  std::vector<std::string> columns_;  // classes of score_<class> columns, of the first file
  LabelClasses known_;
  std::string positive_;  // of the files' column
  ScoreScale scale_;
  bool threshold_given_ = false;  // one that is not the usual
  Place uneven_;                  // of two columns, the first row that does not sum to 1
  std::vector<RawImage> images_;
  std::unordered_map<std::string, std::size_t> image_of_;
  std::vector<RawArm> arms_;
  std::unordered_map<std::string, std::size_t> arm_of_;
  std::set<std::string> splits_;
  bool any_split_ = false;
  std::size_t not_finite_ = 0;
  Place first_not_finite_;
  std::vector<std::string> notes_;
};

}  // namespace

PredictionTable read_predictions(std::span<const std::filesystem::path> files,
                                 const ReadPredictions& options) {
  return Reader(files, options).read();
}

}  // namespace bioptic
