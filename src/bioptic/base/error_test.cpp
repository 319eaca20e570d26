#include "bioptic/base/error.h"

#include <gtest/gtest.h>

#include <array>

namespace bioptic {
namespace {

constexpr std::array<std::string_view, 4> kKnown = {"batch_size", "epochs", "loss", "optimizer"};

TEST(Nearest, FindsSlipsAndRefusesStrangers) {
  EXPECT_EQ(nearest("batchsize", kKnown), "batch_size");
  EXPECT_EQ(nearest("optimiser", kKnown), "optimizer");
  EXPECT_EQ(nearest("zzzzzzzz", kKnown), "");
}

TEST(Suggestion, NamesTheNearestElseAll) {
  EXPECT_EQ(suggestion("epoch", kKnown), "; did you mean 'epochs'?");
  EXPECT_EQ(suggestion("q", kKnown), "; known: batch_size, epochs, loss, optimizer");
}

}  // namespace
}  // namespace bioptic
