#include <algorithm>

#include <ATen/ATen.h>

#include "afterspike/datasets/listops.hpp"
#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

/// Order of the tokens: first to last, or last to first, where arguments come before their
/// operator.
enum class Order { forward, backward };

/// Expressions as sequences of tokens, one of 15 inputs each; a batch is as long as its longest.
class Expressions final : public tasks::Dataset {
 public:
  Expressions(std::vector<datasets::ListOpsExpression> expressions, Order order)
      : expressions_(std::move(expressions)), order_(order) {}

  std::int64_t size() const override { return std::ssize(expressions_); }

  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    const std::int64_t size = std::ssize(numbers);
    tasks::Batch batch;
    batch.target = at::empty({size}, at::kLong);
    batch.lengths = at::empty({size}, at::kLong);
    auto* lengths = batch.lengths.data_ptr<std::int64_t>();
    for (std::int64_t place = 0; place < size; ++place) {
      const auto& drawn = expression(numbers, place);
      lengths[place] = std::ssize(drawn.tokens);
      batch.target.data_ptr<std::int64_t>()[place] = drawn.value;
    }
    const std::int64_t steps = size > 0 ? *std::max_element(lengths, lengths + size) : 0;
    batch.input = at::zeros({steps, size, datasets::kListOpsTokens}, at::kFloat);
    auto inputs = batch.input.accessor<float, 3>();
    for (std::int64_t place = 0; place < size; ++place) {
      const auto& tokens = expression(numbers, place).tokens;
      for (std::size_t step = 0; step < tokens.size(); ++step) {
        const std::size_t read = order_ == Order::forward ? step : tokens.size() - 1 - step;
        inputs[static_cast<std::int64_t>(step)][place][tokens[read]] = 1;
      }
    }
    return batch;
  }

 private:
  const datasets::ListOpsExpression& expression(std::span<const std::int64_t> numbers,
                                                std::int64_t place) const {
    return expressions_[static_cast<std::size_t>(numbers[static_cast<std::size_t>(place)])];
  }

  std::vector<datasets::ListOpsExpression> expressions_;
  Order order_;
};

/// The value of nested operations on lists of digits (Long Range Arena).
class ListOps final : public TaskModel {
 public:
  void describe(options::Section section) override {
    describe_time_step(section, dt_ms_);
    section.add("min_length", grammar_.min_length, "Expressions have more tokens than this.")
        .at_least(0)
        .at_most(kMaxTokens);
    section.add("max_length", grammar_.max_length, "Expressions have fewer tokens than this.")
        .at_least(2)
        .at_most(kMaxTokens);
    section
        .add("max_depth", grammar_.max_depth, "Max nesting of expressions: 2 are lists of digits.")
        .at_least(1)
        .at_most(100);
    section.add("max_arguments", grammar_.max_arguments, "Max arguments of a list; at least 2.")
        .at_least(2)
        .at_most(1000);
    section.choice(
        "order", order_, {{"forward", Order::forward}, {"backward", Order::backward}},
        "Tokens from the first to the last, as published, or from the last to the first.");
    describe_drawn(section, sizes_);
    describe_reading(section, read_, over_);
  }

  std::unique_ptr<Task> make(const TaskContext&) const override {
    const Rng rng = Rng(static_cast<std::uint64_t>(sizes_.seed)).stream("listops");
    auto sets =
        datasets::draw_listops_sets(grammar_, {sizes_.test, sizes_.validation, sizes_.train}, rng);
    const auto split = [&](std::size_t set) -> std::shared_ptr<const tasks::Dataset> {
      if (sets[set].empty()) return nullptr;
      return std::make_shared<Expressions>(std::move(sets[set]), order_);
    };
    const TaskShape shape{datasets::kListOpsTokens, 10, grammar_.max_length - 1, dt_ms_};
    Task::Parts parts;
    parts.test = split(0);
    parts.validation = split(1);
    parts.train = split(2);
    return std::make_unique<Task>(shape, Objective{Objective::Kind::classify, read_, over_},
                                  std::move(parts));
  }

 private:
  static constexpr double kMaxTokens = 100'000;

  datasets::ListOpsGrammar grammar_;
  Order order_ = Order::forward;
  DrawnSizes sizes_ = {96'000, 2'000, 2'000};
  double dt_ms_ = 1;
  ReadSteps read_;
  Objective::Over over_ = Objective::Over::mean_output;
};

}  // namespace

TaskEntry entry_listops() {
  return {"listops",
          "the value of nested operations on digits (Long Range Arena): 15 inputs, 10 classes",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<ListOps>()); }};
}

}  // namespace afterspike::tasks
