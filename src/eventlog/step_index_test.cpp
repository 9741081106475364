#include "eventlog/step_index.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace carillon::eventlog {
namespace {

using Ordinals = std::vector<Ordinal>;

Ordinals coming(const StepIndex& index, Ordinal low) {
  Ordinals ordinals;
  for (const StepIndex::Kept& step : index.passing(low).come) ordinals.push_back(step.ordinal);
  return ordinals;
}

TEST(StepIndex, AStepIsKeptUntilTheNextOfItsOrderGoes) {
  StepIndex index(1);
  index.settle({6, {{1, 0, false}, {2, 0, false}, {4, 1, false}, {6, 4, true}}});
  EXPECT_EQ(index.settled(), 6u);
  EXPECT_EQ(coming(index, 4), (Ordinals{1, 2}));
  index.move_to(4);
  EXPECT_EQ(coming(index, 5), (Ordinals{4}));
  EXPECT_EQ(index.passing(5).leave, (Ordinals{1}));
  // Both steps of the order at once: only the last is kept.
  EXPECT_EQ(coming(index, 7), (Ordinals{6}));
  EXPECT_EQ(index.passing(7).leave, (Ordinals{1}));
  EXPECT_TRUE(index.passing(7).come[0].is_terminal);
  EXPECT_FALSE(index.passing(5).come[0].is_terminal);
}

TEST(StepIndex, WhatIsSettledLaterFollowsWhatWasTrimmed) {
  StepIndex index(1);
  index.settle({2, {{2, 0, false}}});
  index.move_to(3);
  index.settle({3, {}});
  index.settle({5, {{4, 2, false}}});
  EXPECT_EQ(coming(index, 6), (Ordinals{4}));
  EXPECT_EQ(index.passing(6).leave, (Ordinals{2}));
  EXPECT_TRUE(index.passing(3).come.empty());
}

TEST(StepIndex, AfterAStartTheKeptStepsAreSettledFirst) {
  StepIndex index(100);
  index.settle({40, {{7, 0, false}, {40, 0, true}}});
  EXPECT_EQ(index.settled(), 40u);
  index.settle({101, {{100, 7, false}}});
  EXPECT_EQ(coming(index, 101), (Ordinals{100}));
  EXPECT_EQ(index.passing(101).leave, (Ordinals{7}));
}

TEST(StepIndex, AKeptStepThatAnotherKeptOneFollowsLeaves) {
  StepIndex index(100);
  index.settle({40, {{7, 0, false}, {40, 7, false}}});
  index.settle({100, {}});
  EXPECT_EQ(index.passing(101).leave, (Ordinals{7}));
  index.move_to(101);
  index.settle({101, {}});
  EXPECT_TRUE(index.passing(102).leave.empty());
}

TEST(StepIndexDeathTest, WhatWouldLoseAnOrderStopsTheProcess) {
  StepIndex index(1);
  index.settle({5, {}});
  EXPECT_DEATH(index.settle({4, {}}), "what is settled stays settled");
  EXPECT_DEATH(index.settle({6, {{5, 0, false}}}), "steps are settled in order, once");
  EXPECT_DEATH(index.settle({6, {{7, 0, false}}}), "steps are settled in order, once");
  EXPECT_DEATH(index.settle({6, {{6, 6, false}}}), "steps are settled in order, once");
  EXPECT_DEATH(index.move_to(7), "only what is settled goes");
}

}  // namespace
}  // namespace carillon::eventlog
