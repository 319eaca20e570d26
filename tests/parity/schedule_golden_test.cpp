// Learning rates and cycled momenta of every schedule against torch.optim.lr_scheduler.
#include <gtest/gtest.h>

#include "bioptic/model/schedule.h"
#include "golden.h"

namespace bioptic {
namespace {

TEST(Schedules, EveryStepAgreesWithPyTorch) {
  const golden::File file = golden::read("schedules");
  ASSERT_GE(file.cases.size(), 70U);
  for (const auto& c : file.cases) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const TrainSpec spec = golden::spec_of(c);
    const OptimizerSpec& optimizer = spec.optimizer;
    const auto per_epoch = c.at("steps_per_epoch").get<std::int64_t>();
    const Schedule schedule(spec.schedule, optimizer, per_epoch, spec.epochs);
    const double own = optimizer.kind == OptimizerKind::sgd ? optimizer.momentum : optimizer.beta1;
    const auto all_watched = c.at("watched").get<std::vector<double>>();
    EXPECT_EQ(schedule.watches_validation(), !all_watched.empty());
    golden::Values expected(file.of(c));
    ASSERT_GE(expected.left(), 400U);
    for (std::int64_t step = 0; step < per_epoch * spec.epochs; ++step) {
      const auto finished = static_cast<std::size_t>(step / per_epoch);
      const auto watched = std::span(all_watched).first(std::min(finished, all_watched.size()));
      const ScheduleValue value = schedule.at(step, watched);
      const double lr = expected.next(), momentum = expected.next();
      // 1e-10 relative: PyTorch's recursive forms accumulate a rounding per step.  A rate that ends
      // at 0 does so as a difference of terms of the size of the optimizer's rate: 1e-14 of that.
      ASSERT_NEAR(value.lr, lr, 1e-10 * lr + 1e-14 * optimizer.lr) << "step " << step;
      ASSERT_NEAR(value.momentum.value_or(own), momentum, 1e-10 * momentum) << "step " << step;
    }
    EXPECT_EQ(expected.left(), 0U);
  }
}

}  // namespace
}  // namespace bioptic
