#include "afterspike/base/registry.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike {
namespace {

struct Entry {
  std::string_view name;
  int number;
};

constexpr std::array kEntries = {Entry{"line_mnist", 1}, Entry{"sine_generation", 2}};

TEST(Registry, FindsAnEntryByNameWithEitherDash) {
  const std::span<const Entry> entries = kEntries;
  EXPECT_EQ(find_entry(entries, "line_mnist", "task").number, 1);
  EXPECT_EQ(find_entry(entries, "sine-generation", "task").number, 2);
}

TEST(Registry, AnUnknownNameIsRefusedWithTheNamesThereAre) {
  const std::span<const Entry> entries = kEntries;
  testing::expect_error(
      ErrorKind::usage,
      {"no task called 'line_mnit' (did you mean 'line_mnist'?); there are: line_mnist, "
       "sine_generation"},
      [&] { find_entry(entries, "line_mnit", "task"); });
  testing::expect_error(ErrorKind::usage, {"no task called ''; there are: "},
                        [&] { find_entry(entries, "", "task"); });
}

TEST(Registry, ClosestIsTheOneWithTheFewestEdits) {
  const std::array<std::string_view, 4> names = {"epochs", "epoch_length", "seed", "threads"};
  EXPECT_EQ(closest("epoch", names), "epochs");
  EXPECT_EQ(closest("epochs", names), "epochs");
  EXPECT_EQ(closest("sede", names), "seed") << "two letters changed places";
  EXPECT_EQ(closest("sxyd", names), "") << "two of four letters differ";
  EXPECT_EQ(closest("sead", names), "seed");
  EXPECT_EQ(closest("treads", names), "threads");
  EXPECT_EQ(closest("hidden_size", names), "");
  EXPECT_EQ(closest("x", {}), "");
}

TEST(Registry, InitialsStandForAName) {
  const std::array<std::string_view, 3> names = {"train.learning_rate", "train.epochs",
                                                 "train.label_smoothing"};
  EXPECT_EQ(closest("train.lr", names), "train.learning_rate");
  EXPECT_EQ(closest("train.ls", names), "train.label_smoothing");
  EXPECT_EQ(closest("neuron.lr", names), "") << "another section";
  EXPECT_EQ(closest("train.e", names), "") << "one letter is not enough";
}

TEST(Registry, DidYouMeanIsSilentWhenNothingIsClose) {
  const std::array<std::string_view, 1> names = {"epochs"};
  EXPECT_EQ(did_you_mean("epocs", names), " (did you mean 'epochs'?)");
  EXPECT_EQ(did_you_mean("seed", names), "");
}

}  // namespace
}  // namespace afterspike
