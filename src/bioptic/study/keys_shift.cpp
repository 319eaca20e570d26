// The keys of [shift], and the control arms that it asks for.
#include <fmt/format.h>

#include "bioptic/study/check.h"
#include "bioptic/study/keys.h"

namespace bioptic::schema {
namespace {

// By what an arm's trainings differ from each other apart from how validation is drawn: a control
// draws it by group whatever the arm does.
ArmSpec without_split_by(ArmSpec arm) {
  arm.split_by.reset();
  return arm;
}

}  // namespace

const std::vector<Key<ShiftSpec>>& shift_keys() {
  using S = ShiftSpec;
  static const std::vector<Key<S>> keys{
      {"holdout_fraction", "", "",
       number<S>(&S::holdout_fraction, {0, 0.5, /*open_low=*/true, false}), "0.1",
       "The hold-out's share of the images that are not test images: whole groups that own no test "
       "image, drawn once for all seeds. Nothing is trained or validated on them."},
      {"control", "", "", flag<S>(&S::control), "false",
       "Whether every arm is trained once more on other splits: all images are pooled and test, "
       "hold-out and validation drawn again by group, over the same seeds. What is left of the gap "
       "there is not due to another distribution of the test images."},
  };
  return keys;
}

void add_control_arms(StudySpec& study) {
  const std::size_t arms = study.arms.size();
  std::vector<std::size_t> first;  // arms that train in different ways
  for (std::size_t i = 0; i < arms; ++i) {
    bool known = false;
    for (const std::size_t j : first) {
      known =
          known || same_training(without_split_by(study.arms[i]), without_split_by(study.arms[j]));
    }
    if (!known) first.push_back(i);
  }
  for (const std::size_t i : first) {
    ArmSpec control = without_split_by(study.arms[i]);
    control.name = first.size() == 1 ? "control" : "control of " + study.arms[i].name;
    control.is_control = true;
    control.own.clear();
    control.reported.clear();
    control.reported_figure = 0;
    for (std::size_t j = 0; j < arms; ++j) {
      ArmSpec& arm = study.arms[j];
      if (arm.name == control.name) {
        fail({study.file.string(), "", ""}, arm.line,
             fmt::format("arm '{}' has the name of the arm that [shift] control adds; give it "
                         "another",
                         arm.name));
      }
      if (same_training(without_split_by(arm), without_split_by(study.arms[i]))) {
        arm.control = control.name;
      }
    }
    study.arms.push_back(std::move(control));
  }
}

}  // namespace bioptic::schema
