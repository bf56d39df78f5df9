#include <filesystem>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/formats/importer.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/safetensors.hpp"
#include "afterspike/spiking/description.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "network_text.hpp"
#include "preview.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// Returns mean, standard deviation and range of a parameter's physical values.
io::Json statistics(const at::Tensor& physical) {
  const at::Tensor values = physical.detach().to(at::kDouble);
  if (values.numel() == 0) return {};
  return {{"mean", values.mean().item<double>()},
          {"sd", values.numel() > 1 ? values.std().item<double>() : 0},
          {"min", values.min().item<double>()},
          {"max", values.max().item<double>()}};
}

/// Loads the selected checkpoint. A training that goes on may remove it meanwhile; then the next
/// one is loaded.
experiment::Trained load_steadily(const fs::path& path) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    const fs::path checkpoint = experiment::resolve(path);
    try {
      return experiment::load(checkpoint);
    } catch (const Error&) {
      if (attempt == kAttempts || fs::exists(checkpoint / "manifest.json")) throw;
    }
  }
}

io::Json describe_run(const fs::path& path) {
  const experiment::Trained trained = load_steadily(path);
  io::Json parameters = io::Json::array();
  for (io::Json row : trained.content.parameters) {
    const auto name = row["name"].get<std::string>();
    row.erase("initial");
    parameters.push_back(std::move(row));
    for (const nn::Network::Parameter& parameter : trained.network->named()) {
      if (parameter.name == name) {
        parameters.back()["values"] = statistics(trained.network->physical(name));
      }
    }
  }
  return {{"checkpoint", trained.checkpoint.string()},
          {"task", trained.experiment->task_name()},
          {"neuron", trained.experiment->neuron_name()},
          {"trained_parameters", trained.network->trainable_parameters()},
          {"remarks", trained.network->remarks()},
          {"progress", trained.content.progress},
          {"parameters", parameters},
          {"configuration", trained.content.configuration}};
}

io::Json describe_tensors(const fs::path& path) {
  const io::Arrays arrays = io::read_safetensors(path);
  io::Json tensors = io::Json::array();
  for (const auto& [name, array] : arrays.arrays) {
    tensors.push_back(
        {{"name", name}, {"type", io::element_name(array.type)}, {"shape", array.shape}});
  }
  return {{"file", path.string()}, {"tensors", tensors}, {"metadata", arrays.metadata}};
}

io::Json describe_network(const fs::path& path) {
  io::Json network = {{"file", path.string()}};
  network.update(spiking::describe(spiking::read_network(path)));
  return network;
}

void print_run(const io::Json& run) {
  for (const char* key : {"checkpoint", "task", "neuron", "trained_parameters"}) {
    const io::Json& value = run[key];
    fmt::print("{:19} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  fmt::print("{:19} {} epochs, {} steps\n", "trained for",
             run["progress"]["epoch"].get<std::int64_t>(),
             run["progress"]["step"].get<std::int64_t>());
  for (const io::Json& remark : run["remarks"]) fmt::print("{}\n", remark.get<std::string>());
  fmt::print("\n{:36} {:8} {:>12} {:>12} {:>12} {:>12}  {}\n", "parameter", "unit", "mean", "sd",
             "min", "max", "shape");
  for (const io::Json& row : run["parameters"]) {
    if (row["values"].is_null()) continue;
    const auto number = [&](const char* key) { return row["values"][key].get<double>(); };
    fmt::print("{:36} {:8} {:12.5g} {:12.5g} {:12.5g} {:12.5g}  {}{}\n",
               row["name"].get<std::string>(), row["unit"].get<std::string>(), number("mean"),
               number("sd"), number("min"), number("max"), row["shape"].dump(),
               row["trainable"].get<bool>() ? "" : " (fixed)");
  }
}

void print_tensors(const io::Json& file) {
  for (const io::Json& row : file["tensors"]) {
    fmt::print("{:48} {:4} {}\n", row["name"].get<std::string>(), row["type"].get<std::string>(),
               row["shape"].dump());
  }
}

/// A kind of file to describe: makes an object and prints it for people.
struct Form {
  io::Json (*describe)(const fs::path& path);
  void (*print)(const io::Json& object);
};

/// Describes the network that a SONATA configuration names.
io::Json describe_sonata(const fs::path& path) {
  io::Json network = {{"file", path.string()}};
  network.update(spiking::describe(formats::import_sonata(path).network));
  return network;
}

bool is_sonata(const fs::path& path) {
  if (fs::is_directory(path)) {
    return fs::exists(path / "config.json") && !fs::exists(path / "manifest.json");
  }
  return path.extension() == ".json";
}

Form form_of(const fs::path& path) {
  if (is_sonata(path)) return {describe_sonata, print_network};
  if (!fs::is_regular_file(path)) return {describe_run, print_run};
  if (io::is_hdf5(path)) {
    const bool network = io::Hdf5File(path).exists("/populations");
    return network ? Form{describe_network, print_network} : Form{describe_hdf5, print_data};
  }
  if (is_table(path)) return {describe_table, print_data};
  return {describe_tensors, print_tensors};
}

int run_info(std::span<const std::string> words) {
  Arguments arguments(
      "info",
      "Describes a run (also while it trains), a checkpoint, a safetensors file, the "
      "network file of\nexport and import, a SONATA network, or a data file (CSV, "
      "HDF5): samples, lengths, classes, ranges, NaN.",
      "RUN | FILE [--json]");
  arguments.example("afterspike info runs/a")
      .positional({"RUN|FILE"})
      .flag("json", "Print one JSON object.");
  if (!arguments.parse(words)) return 0;
  const fs::path path = arguments.words()[0];
  const Form form = form_of(path);
  const io::Json object = form.describe(path);
  if (arguments.has("json")) {
    fmt::print("{}\n", object.dump());
  } else {
    form.print(object);
  }
  return 0;
}

}  // namespace

CommandEntry entry_info() {
  return {"info", "describe a run, a checkpoint or a file", run_info};
}

}  // namespace afterspike::cli
