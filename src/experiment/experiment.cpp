#include "afterspike/experiment/experiment.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/nn/parameter_choice.hpp"

namespace afterspike::experiment {
namespace {

/// Describes an option that records a choice made before, and cannot be changed.
void describe_name(options::Section section, const std::string& name, std::string_view help) {
  section
      .add_text(
          "name", help, [&name] { return name; }, [](const std::string&) {})
      .check([&name](const options::Value& value) {
        std::string plain = options::text(value);
        std::replace(plain.begin(), plain.end(), '-', '_');
        return plain == name ? "" : fmt::format("'{}'", name);
      });
}

/// Returns shape and settings stored in a checkpoint, to rebuild its network without its data.
nn::NetworkShape saved_shape(const io::Json& configuration) {
  const auto number = [&](std::string_view key) {
    return io::member<double>(configuration, key, "configuration", ErrorKind::checkpoint);
  };
  return {static_cast<std::int64_t>(number("shape.input_size")),
          static_cast<std::int64_t>(number("shape.output_size")), number("shape.dt_ms")};
}

Trained load_checkpoint(const std::filesystem::path& directory, Part part) {
  Trained trained;
  trained.checkpoint = directory;
  trained.content = read_checkpoint(directory, part);
  const io::Json& configuration = trained.content.configuration;
  const auto name = [&](std::string_view key) {
    return io::member<std::string>(configuration, key, "configuration", ErrorKind::checkpoint);
  };
  trained.experiment = std::make_unique<Experiment>(name("task.name"), name("neuron.name"));
  options::Description description;
  trained.experiment->describe(description);
  from_configuration(configuration, description);
  trained.network = trained.experiment->make_network(saved_shape(configuration));
  require_same_parameters(trained.content.parameters, *trained.network);
  assign(trained.content.model, *trained.network);
  trained.objective.kind = tasks::parse_objective_kind(name("objective.kind"));
  trained.objective.read = tasks::ReadSteps::parse(name("objective.read"));
  if (configuration.contains("objective.classes")) {
    trained.objective.class_names = io::member<std::vector<std::string>>(
        configuration, "objective.classes", "configuration", ErrorKind::checkpoint);
  }
  if (configuration.contains("evaluation.sigma_mV")) {
    trained.pass.sigma_mV = io::member<double>(configuration, "evaluation.sigma_mV",
                                               "configuration", ErrorKind::checkpoint);
  }
  if (configuration.contains("evaluation.spikes")) {
    trained.pass.spikes = io::member<bool>(configuration, "evaluation.spikes", "configuration",
                                           ErrorKind::checkpoint);
  }
  return trained;
}

}  // namespace

Experiment::Experiment(std::string_view task, std::string_view neuron) {
  const auto& task_entry = find_entry<tasks::TaskEntry>(tasks::entries(), task, "task");
  const auto& neuron_entry = find_entry<nn::NeuronEntry>(nn::entries(), neuron, "neuron");
  task_name_ = task_entry.name;
  neuron_name_ = neuron_entry.name;
  task_ = task_entry.make();
  neuron_ = neuron_entry.make();
}

void Experiment::describe(options::Description& description) {
  const options::Section task(description, "task");
  describe_name(task, task_name_, "The task.");
  task_->describe(task);
  const options::Section neuron(description, "neuron");
  describe_name(neuron, neuron_name_, "The neuron model.");
  neuron_->describe(neuron);
  network_.describe(options::Section(description, "network"));
}

std::unique_ptr<tasks::Task> Experiment::make_task(const tasks::TaskContext& context) const {
  return task_->make(context);
}

void Experiment::resolve(const tasks::Task& task, const nn::Network& network) {
  network_.hidden = network.options().hidden;
  network_.match_params = 0;
  neuron_->resolve(network.layer(0)->shape());
  options::Description description;
  describe(description);
  if (const options::Field* read = description.find_if("task.read")) {
    read->set(task.objective().read.text());
  }
  const options::Field* validation = description.find_if("task.validation");
  // A number of samples; some tasks have a named method instead.
  if (validation != nullptr && validation->type() == "integer") {
    const auto split = task.split(tasks::Split::validation);
    validation->set(split ? split->size() : std::int64_t{0});
  }
}

std::shared_ptr<nn::Network> Experiment::make_network(const tasks::Task& task) const {
  const tasks::TaskShape& shape = task.shape();
  return make_network(nn::NetworkShape{shape.input_size, shape.output_size, shape.dt_ms});
}

std::shared_ptr<nn::Network> Experiment::make_network(const nn::NetworkShape& shape) const {
  return std::make_shared<nn::Network>(*neuron_, network_, shape);
}

void initialize(nn::Network& network, std::uint64_t seed, const nn::NamedTensors* donor) {
  const Rng rng(seed);
  network.initialize(rng.stream("initial"));
  if (donor != nullptr) network.resample(*donor, rng.stream("inherit"));
}

void start_from(nn::Network& network, std::string_view neuron, const std::string& run,
                std::string_view groups) {
  const at::NoGradGuard no_grad;
  const auto chosen = nn::ParameterChoice::parse(groups, "train.start_groups");
  const Trained donor = load(run);
  const auto check = [&](bool holds, const std::string& problem) {
    require(holds, ErrorKind::config,
            "option 'train.start_from': '{}' {}. Choose a run of the same network, or fewer groups "
            "(train.start_groups)",
            run, problem);
  };
  check(donor.experiment->neuron_name() == neuron,
        fmt::format("has neurons '{}', not '{}'", donor.experiment->neuron_name(), neuron));
  const std::vector<nn::Network::Parameter> given = donor.network->named();
  for (const nn::Network::Parameter& own : network.named()) {
    if (!chosen.contains(own)) continue;
    const auto found = std::find_if(given.begin(), given.end(),
                                    [&](const auto& other) { return other.name == own.name; });
    check(found != given.end(), fmt::format("has no parameter '{}'", own.name));
    check(found->tensor.sizes() == own.tensor.sizes(),
          fmt::format("has {} values of parameter '{}', not {}, or in another shape",
                      found->tensor.numel(), own.name, own.tensor.numel()));
    const std::string transform = found->spec->transform.text();
    check(transform == own.spec->transform.text(),
          fmt::format("has parameter '{}' under the transform {}, not {}", own.name, transform,
                      own.spec->transform.text()));
    at::Tensor(own.tensor).copy_(found->tensor);
  }
}

std::string fingerprint_key(tasks::Split split) {
  return fmt::format("data.{}", tasks::split_name(split));
}

io::Json to_configuration(const options::Description& description) {
  io::Json configuration = io::Json::object();
  for (const options::Field& field : description.fields()) {
    configuration[field.path()] = options::text(field.value());
  }
  return configuration;
}

void from_configuration(const io::Json& configuration, const options::Description& description) {
  for (const options::Field& field : description.fields()) {
    const auto found = configuration.find(field.path());
    if (found == configuration.end()) continue;
    try {
      field.set_text(found->get<std::string>());
    } catch (const Error& error) {
      throw Error(ErrorKind::checkpoint, fmt::format("configuration: {}", error.what()));
    } catch (const io::Json::exception&) {
      fail(ErrorKind::checkpoint, "configuration: option '{}': found {}, expected text",
           field.path(), found->dump());
    }
  }
}

std::shared_ptr<nn::Network> in_double(const Trained& trained) {
  std::shared_ptr<nn::Network> copy = trained.experiment->make_network(trained.network->shape());
  assign(trained.content.model, *copy);
  copy->to(at::kDouble);
  return copy;
}

std::shared_ptr<nn::Network> initial_network(const Trained& trained) {
  const auto text = [&](const char* key) {
    return io::member<std::string>(trained.content.configuration, key,
                                   trained.checkpoint.string() + ": configuration",
                                   ErrorKind::checkpoint);
  };
  auto network = trained.experiment->make_network(trained.network->shape());
  const std::string digits = text("seed");
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  require(error == std::errc() && end == digits.data() + digits.size(), ErrorKind::checkpoint,
          "{}: configuration: seed is '{}', expected a whole number", trained.checkpoint.string(),
          digits);
  if (trained.experiment->inherits()) {
    const nn::NamedTensors donor = load(text("inherit")).content.model;
    initialize(*network, seed, &donor);
  } else {
    initialize(*network, seed, nullptr);
  }
  // Older checkpoints do not have these options.
  const io::Json& configuration = trained.content.configuration;
  if (configuration.value("train.start_from", "").empty()) return network;
  start_from(*network, trained.experiment->neuron_name(), text("train.start_from"),
             text("train.start_groups"));
  return network;
}

Trained load(const std::filesystem::path& run, Part part) {
  for (std::filesystem::path directory = resolve(run);;) {
    try {
      return load_checkpoint(directory, part);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal) throw;
      // A training removes a checkpoint after it has selected another.
      const std::filesystem::path now = resolve(run);
      if (now == directory) {
        throw Error(ErrorKind::checkpoint,
                    fmt::format("checkpoint '{}': {}", directory.string(), error.what()));
      }
      directory = now;
    }
  }
}

}  // namespace afterspike::experiment
