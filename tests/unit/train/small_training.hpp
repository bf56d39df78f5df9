#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "afterspike/train/trainer.hpp"
#include "support/tensors.hpp"
#include "train_options.hpp"
#include "unit/nn/models.hpp"

namespace afterspike::testing {

/// Sequences of 5 steps and 2 features; the class is the sign of the mean of the first feature.
inline std::shared_ptr<const tasks::Sequences> labelled_sequences(std::int64_t samples,
                                                                  std::uint64_t seed) {
  const at::Tensor inputs =
      uniform_tensor({samples, 5, 2}, Rng(seed), -3, 3).to(at::kFloat).contiguous();
  const at::Tensor labels = inputs.select(2, 0).mean(1).gt(0).to(at::kLong);
  return std::make_shared<tasks::Sequences>(inputs, labels);
}

/// A task of two classes in memory; `validation` samples of 0 mean no validation split.
inline tasks::Task class_task(std::int64_t samples, std::int64_t validation = 40) {
  tasks::Objective objective;
  objective.read = tasks::ReadSteps::parse("2");
  return {
      {2, 2, 5, 1.0},
      objective,
      {labelled_sequences(samples, 1), validation > 0 ? labelled_sequences(validation, 2) : nullptr,
       labelled_sequences(30, 3)}};
}

/// A task to generate these traces [samples, steps, 1] from an input of ones.
inline tasks::Task trace_task(const at::Tensor& train, const at::Tensor& validation = {}) {
  const auto part = [](const at::Tensor& target) -> std::shared_ptr<const tasks::Dataset> {
    if (!target.defined()) return nullptr;
    return std::make_shared<tasks::Sequences>(at::ones_like(target), target);
  };
  tasks::Objective objective;
  objective.kind = tasks::Objective::Kind::trace;
  objective.read = tasks::ReadSteps::parse("all");
  return {{1, 1, train.size(1), 1.0}, objective, {part(train), part(validation), part(train)}};
}

/// Records the calls of an observer.
class Recorder final : public train::Observer {
 public:
  void on_step(const train::Trainer&) override { ++steps; }
  void on_epoch(const train::Trainer&, const train::EpochReport& report) override {
    epochs.push_back(report);
  }
  void on_end(const train::Trainer&, train::End end) override { ends.push_back(end); }

  int steps = 0;
  std::vector<train::EpochReport> epochs;
  std::vector<train::End> ends;
};

/// Training state stored in a checkpoint.
struct Snapshot {
  nn::NamedTensors model, optimizer;
  io::Json progress;
};

/// A small network in training on a task, which must outlive it.
class Training {
 public:
  Training(const tasks::Task& task, const std::string& neuron, const Settings& train = {},
           const Settings& of_neuron = {}, int threads = 1, std::uint64_t seed = 1,
           train::Ranks& ranks = train::alone())
      : pool_(threads) {
    at::set_num_threads(1);
    nn::NetworkOptions shape;
    shape.hidden = 6;
    const tasks::TaskShape& wanted = task.shape();
    network = std::make_shared<nn::Network>(
        *make_model(neuron, of_neuron), shape,
        nn::NetworkShape{wanted.input_size, wanted.output_size, wanted.dt_ms});
    network->initialize(Rng(seed).stream("initial"));
    trainer = std::make_unique<train::Trainer>(*network, task, train_options(train), Rng(seed),
                                               pool_, ranks);
  }

  /// Trains up to `steps` steps in all; 0: to the end.
  train::End run(std::int64_t steps = 0) {
    train::Limits limits;
    limits.steps = steps;
    return trainer->run({&recorder}, limits);
  }

  nn::NamedTensors model() const {
    nn::NamedTensors tensors;
    for (const auto& parameter : network->named()) {
      tensors[parameter.name] = parameter.tensor.detach().clone();
    }
    return tensors;
  }

  Snapshot snapshot() const {
    return {model(), trainer->optimizer_state(), trainer->progress().to_json()};
  }

  void restore(const Snapshot& saved) {
    const at::NoGradGuard no_grad;
    for (const auto& parameter : network->named()) {
      at::Tensor(parameter.tensor).copy_(saved.model.at(parameter.name));
    }
    trainer->restore(train::Progress::from_json(io::Json::parse(saved.progress.dump())),
                     saved.optimizer);
  }

  std::shared_ptr<nn::Network> network;
  std::unique_ptr<train::Trainer> trainer;
  Recorder recorder;

 private:
  ThreadPool pool_;
};

inline void expect_same_tensors(const nn::NamedTensors& found, const nn::NamedTensors& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    expect_same(found.at(name), tensor, name);
  }
}

}  // namespace afterspike::testing
