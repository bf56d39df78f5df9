#include "afterspike/experiment/experiment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::experiment {
namespace {

namespace fs = std::filesystem;

using testing::expect_error;

io::Json configuration_of(Experiment& experiment) {
  options::Description description;
  experiment.describe(description);
  return to_configuration(description);
}

void set(Experiment& experiment, const std::string& path, const std::string& text) {
  options::Description description;
  experiment.describe(description);
  description.find(path).set_text(text);
}

/// A small network of rnn units on sines, and its checkpoint as a run would write it.
struct Saved {
  Experiment experiment{"sine_generation", "glifr"};
  std::shared_ptr<nn::Network> network;
  experiment::Checkpoint content;

  Saved() {
    set(experiment, "task.duration", "1 ms");
    set(experiment, "network.hidden", "4");
    const auto task = experiment.make_task({});
    network = experiment.make_network(*task);
    network->initialize(Rng(1));
    content.configuration = configuration_of(experiment);
    content.configuration["shape.input_size"] = task->shape().input_size;
    content.configuration["shape.output_size"] = task->shape().output_size;
    content.configuration["shape.dt_ms"] = task->shape().dt_ms;
    content.configuration["objective.kind"] = "trace";
    content.configuration["objective.read"] = "all";
    content.progress = {{"step", 1}};
    content.parameters = experiment::describe_parameters(*network);
    content.model = experiment::model_tensors(*network);
  }
};

TEST(InitialNetwork, IsDrawnAgainFromTheSeed) {
  const testing::TempDir directory;
  Saved saved;
  initialize(*saved.network, 7, nullptr);
  const nn::NamedTensors before = experiment::model_tensors(*saved.network);
  saved.content.configuration["seed"] = "7";
  experiment::write_checkpoint(directory / "run",
                               saved.content);  // A checkpoint with other values.
  const auto again = experiment::model_tensors(*initial_network(load(directory / "run")));
  for (const auto& [name, tensor] : before) EXPECT_TRUE(again.at(name).equal(tensor)) << name;
  saved.content.configuration["seed"] = "x";
  experiment::write_checkpoint(directory / "broken", saved.content);
  expect_error(ErrorKind::checkpoint, {"seed is 'x'"},
               [&] { initial_network(load(directory / "broken")); });
}

TEST(Experiment, KnowsTasksAndNeuronsByNameAndSuggests) {
  const Experiment experiment("line-mnist", "glifr");
  EXPECT_EQ(experiment.task_name(), "line_mnist");
  EXPECT_EQ(experiment.neuron_name(), "glifr");
  expect_error(ErrorKind::usage,
               {"no task called 'line_mnits'", "did you mean 'line_mnist'?", "sine_generation"},
               [] { Experiment("line_mnits", "glifr"); });
  expect_error(ErrorKind::usage, {"no neuron called 'glfr'", "did you mean 'glifr'?", "lstm"},
               [] { Experiment("line_mnist", "glfr"); });
}

TEST(Experiment, OfEveryTaskAndNeuronIsTheSameAfterItsConfiguration) {
  for (const tasks::TaskEntry& task : tasks::entries()) {
    for (const nn::NeuronEntry& neuron : nn::entries()) {
      Experiment experiment(task.name, neuron.name);
      set(experiment, "network.hidden", "17");
      set(experiment, "task.dt", "0.1 ms");
      const io::Json configuration = configuration_of(experiment);
      EXPECT_EQ(configuration.at("task.name"), task.name);
      EXPECT_EQ(configuration.at("neuron.name"), neuron.name);
      Experiment other(task.name, neuron.name);
      options::Description description;
      other.describe(description);
      from_configuration(io::Json::parse(configuration.dump()), description);
      EXPECT_EQ(configuration_of(other), configuration) << task.name << ", " << neuron.name;
    }
  }
}

TEST(Experiment, CannotBecomeAnotherWhileItIsDescribed) {
  Experiment experiment("line_mnist", "glifr");
  expect_error(ErrorKind::config, {"'task.name'", "'sine_generation'", "'line_mnist'"},
               [&] { set(experiment, "task.name", "sine_generation"); });
  expect_error(ErrorKind::config, {"'neuron.name'", "'rnn'", "'glifr'"},
               [&] { set(experiment, "neuron.name", "rnn"); });
  set(experiment, "task.name", "line-mnist");
  EXPECT_EQ(experiment.task_name(), "line_mnist") << "the same name, written otherwise";
}

TEST(Experiment, RecordsTheNumberOfNeuronsThatMatchedParametersCameTo) {
  Experiment experiment("sine_generation", "rnn");
  set(experiment, "network.match_params", "1000");
  const auto task = experiment.make_task({});
  const auto network = experiment.make_network(*task);
  experiment.resolve(*task, *network);
  const io::Json configuration = configuration_of(experiment);
  EXPECT_EQ(configuration.at("network.match_params"), "0");
  EXPECT_EQ(configuration.at("network.hidden"), std::to_string(network->options().hidden));
  EXPECT_LE(network->trainable_parameters(), 1000);
  EXPECT_EQ(experiment.make_network(*task)->trainable_parameters(),
            network->trainable_parameters());
}

TEST(Experiment, RecordsWhatSettingsStandForAndTheSameNetworkFollows) {
  Experiment experiment("sine_generation", "glifr");
  set(experiment, "neuron.variant", "fheta");
  set(experiment, "network.hidden", "4");
  const auto task = experiment.make_task({});
  const auto network = experiment.make_network(*task);
  experiment.resolve(*task, *network);
  const io::Json configuration = configuration_of(experiment);
  for (const auto& [option, expected] :
       std::map<std::string, std::string>{{"neuron.variant", ""},
                                          {"neuron.learn", "none"},
                                          {"neuron.initial", "inherit"},
                                          {"neuron.after_spike_decay", "2"},
                                          {"neuron.tau", "0.05 ms"},
                                          {"neuron.recurrent_weight", "uniform(-0.5, 0.5)"}}) {
    EXPECT_EQ(configuration.at(option), expected) << option;
  }
  EXPECT_TRUE(experiment.inherits());
  const auto again = experiment.make_network(*task);
  EXPECT_EQ(experiment::describe_parameters(*again), experiment::describe_parameters(*network));
  experiment.resolve(*task, *again);
  EXPECT_EQ(configuration_of(experiment), configuration);
}

TEST(Configuration, OfAnOlderProgramKeepsDefaultsAndOfANewerIsReadAsFarAsKnown) {
  Experiment experiment("sine_generation", "rnn");
  options::Description description;
  experiment.describe(description);
  from_configuration({{"network.hidden", "5"}, {"network.colour", "red"}}, description);
  EXPECT_EQ(to_configuration(description).at("network.hidden"), "5");
  EXPECT_EQ(to_configuration(description).at("network.layers"), "1");
}

TEST(Configuration, ThatAnOptionRefusesIsAnErrorOfTheCheckpoint) {
  Experiment experiment("sine_generation", "rnn");
  options::Description description;
  experiment.describe(description);
  expect_error(ErrorKind::checkpoint, {"configuration", "'network.hidden'", "'-1'"}, [&] {
    from_configuration({{"network.hidden", "-1"}}, description);
  });
  expect_error(ErrorKind::checkpoint, {"'network.hidden'", "found 5", "expected text"}, [&] {
    from_configuration({{"network.hidden", 5}}, description);
  });
}

TEST(Load, GivesTheNetworkThatWasSaved) {
  const testing::TempDir directory;
  Saved saved;
  saved.content.configuration["evaluation.sigma_mV"] = 0.125;
  experiment::write_checkpoint(directory / "checkpoint", saved.content);
  const Trained trained = load(directory / "checkpoint");
  EXPECT_EQ(trained.checkpoint, directory / "checkpoint");
  EXPECT_EQ(trained.experiment->task_name(), "sine_generation");
  EXPECT_EQ(trained.objective.kind, tasks::Objective::Kind::trace);
  EXPECT_EQ(trained.objective.read.text(), "all");
  EXPECT_EQ(trained.pass.sigma_mV, 0.125);
  const at::Tensor input = testing::uniform_tensor({20, 3, 1}, Rng(2)).to(at::kFloat);
  testing::expect_same(trained.network->forward(input), saved.network->forward(input), "output");
}

TEST(Load, UsesTheNeuronsOwnSoftnessWhereItWasNotAnnealed) {
  const testing::TempDir directory;
  experiment::write_checkpoint(directory / "checkpoint", Saved().content);
  EXPECT_FALSE(load(directory / "checkpoint").pass.sigma_mV.has_value());
}

TEST(Load, RefusesACheckpointThatDoesNotFitItself) {
  struct Case {
    std::function<void(experiment::Checkpoint&)> change;
    std::vector<std::string> message;
  };
  const std::vector<Case> cases = {
      {[](auto& c) { c.configuration.erase("task.name"); }, {"'task.name' is missing"}},
      {[](auto& c) { c.configuration["neuron.name"] = "adex"; }, {"no neuron called 'adex'"}},
      {[](auto& c) { c.configuration["task.name"] = 3; }, {"'task.name'", "another type"}},
      {[](auto& c) { c.configuration["task.name"] = "line_mnits"; }, {"did you mean"}},
      {[](auto& c) { c.configuration.erase("shape.input_size"); },
       {"'shape.input_size' is missing"}},
      {[](auto& c) { c.configuration["shape.output_size"] = 0; }, {"0 outputs"}},
      {[](auto& c) { c.configuration["shape.input_size"] = 2; },
       {"layers.0.input_weight", "shape: found [1,4], expected [2,4]"}},
      {[](auto& c) { c.configuration["network.hidden"] = "5"; }, {"shape: found", "expected"}},
      {[](auto& c) { c.configuration["network.layers"] = "2"; },
       {"layers.1.", "is missing", "another model"}},
      {[](auto& c) { c.configuration["neuron.name"] = "rnn"; }, {"another model"}},
      {[](auto& c) { c.configuration["objective.read"] = "some"; }, {"some"}},
      {[](auto& c) { c.configuration["neuron.variant"] = "hoom"; }, {"neuron.variant", "hoom"}},
      {[](auto& c) { c.model["extra"] = at::ones({1}); }, {"'extra' is not known"}},
      {[](auto& c) { c.model.erase("readout.weight"); }, {"'readout.weight' is missing"}},
  };
  for (const Case& c : cases) {
    const testing::TempDir directory;
    Saved saved;
    c.change(saved.content);
    experiment::write_checkpoint(directory / "checkpoint", saved.content);
    try {
      load(directory / "checkpoint");
      ADD_FAILURE() << c.message[0];
    } catch (const Error& error) {
      EXPECT_EQ(exit_status(error.kind()), 5) << error.what();
      EXPECT_THAT(error.what(), ::testing::StartsWith("checkpoint '" +
                                                      (directory / "checkpoint").string() + "': "));
      for (const std::string& part : c.message) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
      }
    }
  }
}

}  // namespace
}  // namespace afterspike::experiment
