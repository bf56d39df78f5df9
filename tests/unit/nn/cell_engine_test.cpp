// The whole-sequence kernel of recurrent units, as the layers rnn, gru and lstm use it, against
// composed operations; gated_test.cpp compares these with loops over plain numbers.

#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "engines.hpp"

namespace afterspike::nn {
namespace {

using testing::described;
using testing::dropouts;
using testing::expect_twins;
using testing::Settings;
using testing::Twin;
using testing::uniform_tensor;

class CellEngine : public ::testing::TestWithParam<std::string> {};

TEST_P(CellEngine, AgreesWithComposedOperationsInRandomShapes) {
  Rng rng = Rng(14).stream("shapes");
  for (int i = 0; i < 40; ++i) {
    const auto number = [&](std::uint64_t most) {
      return static_cast<std::int64_t>(1 + rng.below(most));
    };
    Twin twin{GetParam(), {number(30), number(40), 1.0}, number(150), number(9), {}, {}};
    if (GetParam() == "rnn") {
      const std::int64_t most = number(2) == 1 ? 5 : 160;
      twin.settings = {
          {"delay", std::to_string(number(static_cast<std::uint64_t>(most))) + "steps"}};
    }
    twin.pass.first = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(twin.steps)));
    SCOPED_TRACE(described(twin));
    expect_twins(twin);
  }
}

TEST_P(CellEngine, SilencesAndDropsTheSame) {
  Twin twin{GetParam(), {6, 9, 1.0}, 20, 4, {}, {}};
  twin.pass.mask = at::ones({9});
  twin.pass.mask[2] = 0;
  expect_twins(twin);
  twin.pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  for (const Settings& settings : dropouts()) {
    Twin dropped = twin;
    dropped.settings = settings;
    expect_twins(dropped);
    if (GetParam() != "rnn") continue;
    dropped.settings.emplace_back("delay", "3steps");
    expect_twins(dropped);
  }
}

TEST_P(CellEngine, AgreesInSinglePrecision) {
  expect_twins({GetParam(), {40, 37, 1.0}, 50, 6, {}, {}}, at::kFloat, 1e-5);
}

TEST_P(CellEngine, KeepsWhatIsNotANumber) {
  const auto layer = testing::make_layer(GetParam(), {3, 5, 1.0});
  at::Tensor input = uniform_tensor({6, 2, 3}, Rng(1));
  input[2][1][0] = std::numeric_limits<double>::quiet_NaN();
  const at::Tensor emitted = layer->emissions(input, {});
  EXPECT_TRUE(emitted.narrow(0, 0, 2).isfinite().all().item<bool>());
  EXPECT_TRUE(emitted.select(1, 0).isfinite().all().item<bool>());
  EXPECT_TRUE(emitted.narrow(0, 2, 4).select(1, 1).isnan().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Cells, CellEngine, ::testing::Values("rnn", "gru", "lstm"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace afterspike::nn
