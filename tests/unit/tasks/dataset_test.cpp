#include "afterspike/tasks/dataset.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::expect_same;

/// Identifiable samples: feature f of step t of sample n is 1000 n + 10 t + f.
std::shared_ptr<Sequences> numbered(std::int64_t samples) {
  const at::Tensor inputs = 1000 * at::arange(samples).reshape({-1, 1, 1}) +
                            10 * at::arange(4).reshape({1, -1, 1}) +
                            at::arange(3).reshape({1, 1, -1});
  return std::make_shared<Sequences>(inputs.to(at::kFloat), at::arange(samples) + 100);
}

std::vector<std::int64_t> range(std::int64_t size) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(size));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

/// Returns the samples of numbered() in a data set, in its order.
std::vector<std::int64_t> samples(const Dataset& set) {
  const at::Tensor classes = set.batch(range(set.size())).target - 100;
  return {classes.data_ptr<std::int64_t>(), classes.data_ptr<std::int64_t>() + classes.numel()};
}

TEST(Sequences, PutsSamplesSideBySideInTheOrderAskedFor) {
  const std::vector<std::int64_t> numbers = {5, 0, 5, 2};
  const Batch batch = numbered(6)->batch(numbers);
  ASSERT_EQ(batch.input.sizes(), at::IntArrayRef({4, 4, 3}));
  EXPECT_EQ(batch.input.scalar_type(), at::kFloat);
  EXPECT_TRUE(batch.input.is_contiguous());
  for (std::int64_t place = 0; place < 4; ++place) {
    const std::int64_t number = numbers[static_cast<std::size_t>(place)];
    EXPECT_EQ(batch.target[place].item<std::int64_t>(), number + 100);
    for (std::int64_t step = 0; step < 4; ++step) {
      for (std::int64_t feature = 0; feature < 3; ++feature) {
        EXPECT_EQ(batch.input[step][place][feature].item<double>(),
                  static_cast<double>(1000 * number + 10 * step + feature));
      }
    }
  }
  EXPECT_FALSE(batch.lengths.defined());
}

TEST(Sequences, TracesAndLengthsFollowTheirSamples) {
  const at::Tensor inputs = at::rand({5, 4, 2}), targets = at::rand({5, 4, 3});
  const at::Tensor lengths = at::arange(5) % 4 + 1;
  const Sequences set(inputs, targets, lengths);
  const Batch batch = set.batch(std::vector<std::int64_t>{4, 1});
  expect_same(batch.target, at::stack({targets[4], targets[1]}, 1), "traces");
  expect_same(batch.lengths, at::stack({lengths[4], lengths[1]}), "lengths");
}

TEST(Sequences, MayHaveNoTargets) {
  const Sequences set(at::rand({5, 4, 2}), {});
  EXPECT_EQ(set.size(), 5);
  EXPECT_FALSE(set.batch(range(5)).target.defined());
}

TEST(Sequences, PartsThatDoNotFitAreRefused) {
  const auto refused = [](const at::Tensor& inputs, const at::Tensor& targets,
                          const at::Tensor& lengths) {
    testing::expect_error(ErrorKind::internal, {"do not fit"},
                          [&] { Sequences(inputs, targets, lengths); });
  };
  refused(at::zeros({5, 4}), {}, {});
  refused(at::zeros({5, 4, 2}), at::zeros({4}), {});
  refused(at::zeros({5, 4, 2}), at::zeros({5}), at::ones({6}, at::kLong));
}

TEST(Subset, IsItsSamplesOfTheWhole) {
  const auto whole = numbered(9);
  const Subset part(whole, {7, 0, 3});
  EXPECT_EQ(part.size(), 3);
  EXPECT_EQ(samples(part), (std::vector<std::int64_t>{7, 0, 3}));
  const std::vector<std::int64_t> asked = {2, 2, 0}, meant = {3, 3, 7};
  expect_same(part.batch(asked).input, whole->batch(meant).input, "input");
  const Subset of_part(std::make_shared<Subset>(part), {1, 2});
  EXPECT_EQ(samples(of_part), (std::vector<std::int64_t>{0, 3}));
}

/// Samples shifted by a number of the epoch's stream.
class Shifted final : public Dataset {
 public:
  explicit Shifted(double shift) : shift_(shift) {}
  std::int64_t size() const override { return 9; }
  Batch batch(std::span<const std::int64_t> numbers) const override {
    Batch batch = numbered(9)->batch(numbers);
    batch.input = batch.input + shift_;
    return batch;
  }
  std::shared_ptr<const Dataset> for_epoch(const Rng& epoch) const override {
    return std::make_shared<Shifted>(Rng(epoch).uniform());
  }

 private:
  double shift_;
};

TEST(FirstSamples, AreSoManyOrAll) {
  const auto whole = numbered(5);
  EXPECT_EQ(samples(*first_samples(whole, 2)), (std::vector<std::int64_t>{0, 1}));
  for (const std::int64_t all : {0, 5, 6}) EXPECT_EQ(first_samples(whole, all), whole) << all;
}

TEST(Epochs, AreAllTheSameUnlessASetVaries) {
  const std::shared_ptr<const Dataset> plain = numbered(9);
  EXPECT_EQ(plain->for_epoch(Rng(1)), plain);
  const std::shared_ptr<const Dataset> part =
      std::make_shared<Subset>(plain, std::vector<std::int64_t>{1, 2});
  EXPECT_EQ(part->for_epoch(Rng(1)), part);
}

TEST(Epochs, OfASubsetAreThoseOfItsWhole) {
  const auto whole = std::make_shared<Shifted>(0);
  const std::vector<std::int64_t> numbers = {7, 3, 5};
  const auto part = std::make_shared<Subset>(whole, numbers)->for_epoch(Rng(4));
  ASSERT_EQ(part->size(), 3);
  expect_same(part->batch(range(3)).input, whole->for_epoch(Rng(4))->batch(numbers).input, "4");
  EXPECT_FALSE(at::equal(part->batch(range(3)).input, whole->batch(numbers).input));
}

TEST(Split, PartsAreDisjointInOrderAndMakeTheWhole) {
  const auto whole = numbered(40);
  for (const std::int64_t size : {0, 1, 13, 39, 40}) {
    const Parts parts = split(whole, size, Rng(1));
    EXPECT_EQ(parts.part->size(), size);
    EXPECT_EQ(parts.rest->size(), 40 - size);
    if (size == 0 || size == 40) continue;
    const std::vector<std::int64_t> part = samples(*parts.part), rest = samples(*parts.rest);
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    EXPECT_TRUE(std::is_sorted(rest.begin(), rest.end()));
    std::vector<std::int64_t> all;
    std::merge(part.begin(), part.end(), rest.begin(), rest.end(), std::back_inserter(all));
    EXPECT_EQ(all, range(40));
  }
}

TEST(Split, DependsOnTheStreamOnly) {
  const auto whole = numbered(40);
  const auto taken = [&](std::uint64_t seed) { return samples(*split(whole, 13, Rng(seed)).part); };
  EXPECT_EQ(taken(1), taken(1));
  EXPECT_NE(taken(1), taken(2));
  EXPECT_NE(taken(1), range(13));
}

TEST(Split, TakesEverySampleEquallyOften) {
  const auto whole = numbered(8);
  std::vector<int> count(8, 0);
  const int draws = 4000;
  for (int seed = 0; seed < draws; ++seed) {
    const Rng rng = Rng(5).stream("draw", static_cast<std::uint64_t>(seed));
    for (const std::int64_t sample : samples(*split(whole, 2, rng).part)) {
      ++count[static_cast<std::size_t>(sample)];
    }
  }
  // Binomial: 1000 of each, standard deviation 27.
  EXPECT_THAT(count, ::testing::Each(::testing::AllOf(::testing::Gt(863), ::testing::Lt(1137))));
}

TEST(Fingerprint, TellsDataApart) {
  const at::Tensor inputs = testing::uniform_tensor({200, 3, 2}, Rng(1)).to(at::kFloat);
  const at::Tensor classes = at::arange(200).remainder(4);
  const std::string whole = fingerprint(Sequences(inputs, classes));
  EXPECT_EQ(whole.size(), 64U);
  EXPECT_EQ(fingerprint(Sequences(inputs.clone(), classes.clone())), whole);
  const at::Tensor changed = inputs.clone();
  changed[0][2][1] += 1;
  EXPECT_NE(fingerprint(Sequences(changed, classes)), whole);
  EXPECT_NE(fingerprint(Sequences(inputs, classes.flip(0))), whole);
  EXPECT_NE(fingerprint(Sequences(inputs, {})), whole);
  EXPECT_NE(fingerprint(Sequences(inputs, classes, at::full({200}, 3))), whole);
  EXPECT_NE(fingerprint(Sequences(inputs.narrow(0, 0, 199), classes.narrow(0, 0, 199))), whole);
  EXPECT_NE(fingerprint(Sequences(inputs.flip(0), classes)), whole);
  EXPECT_EQ(fingerprint(Sequences(at::zeros({0, 3, 2}), {})).size(), 64U) << "also of nothing";
}

}  // namespace
}  // namespace afterspike::tasks
