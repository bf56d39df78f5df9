#include <filesystem>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/io/safetensors.hpp"
#include "command.hpp"
#include "environment.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// Mean, standard deviation and range of a parameter's physical values.
io::Json statistics(const at::Tensor& physical) {
  const at::Tensor values = physical.detach().to(at::kDouble);
  if (values.numel() == 0) return {};
  return {{"mean", values.mean().item<double>()},
          {"sd", values.numel() > 1 ? values.std().item<double>() : 0},
          {"min", values.min().item<double>()},
          {"max", values.max().item<double>()}};
}

io::Json describe_run(const fs::path& path) {
  const experiment::Trained trained = experiment::load(path);
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

int run(std::span<const std::string> words) {
  Arguments arguments("info", "Describes a run, a checkpoint or a safetensors file.",
                      "RUN | FILE [--json]");
  arguments.positional({"RUN|FILE"}).flag("json", "Print one JSON object.");
  if (!arguments.parse(words)) return 0;
  const fs::path path = arguments.words()[0];
  const bool file = fs::is_regular_file(path);
  const io::Json result = file ? describe_tensors(path) : describe_run(path);
  if (arguments.has("json")) {
    fmt::print("{}\n", result.dump());
  } else if (!file) {
    print_run(result);
  } else {
    for (const io::Json& row : result["tensors"]) {
      fmt::print("{:48} {:4} {}\n", row["name"].get<std::string>(), row["type"].get<std::string>(),
                 row["shape"].dump());
    }
  }
  return 0;
}

}  // namespace

CommandEntry entry_info() {
  return {"info", "describe a run, a checkpoint or a file", run};
}

}  // namespace afterspike::cli
