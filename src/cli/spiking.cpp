#include "spiking.hpp"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/io/atomic.hpp"

namespace afterspike::cli {

void require_free(const std::filesystem::path& out, bool force) {
  std::error_code ignored;
  require(force || !std::filesystem::exists(out, ignored) || io::is_stream(out), ErrorKind::usage,
          "--out: '{}' exists already, expected a new name, or --force to replace it",
          out.string());
}

std::unique_ptr<tasks::Task> task_of(const glifnet::Network& network, const std::string& name,
                                     const tasks::TaskContext& context) {
  const auto known = [&](const char* key) {
    const auto found = network.provenance.find(key);
    return found == network.provenance.end() ? std::string() : found->second;
  };
  const bool own = name.empty() || name == known("task");
  const std::string wanted = name.empty() ? known("task") : name;
  require(!wanted.empty(), ErrorKind::usage,
          "simulate: the network does not say what it was trained for; expected --task T");
  experiment::Experiment experiment(wanted, own ? known("neuron") : "glifr");
  if (own) {
    options::Description description;
    experiment.describe(description);
    const auto configuration = io::Json::parse(known("configuration"), nullptr, false);
    require(configuration.is_object(), ErrorKind::data,
            "network: provenance 'configuration': expected a JSON object");
    experiment::from_configuration(configuration, description);
  }
  return experiment.make_task(context);
}

std::shared_ptr<const data::Dataset> samples_of(const tasks::Task& task,
                                                const Arguments& arguments) {
  return first_samples(task, tasks::parse_split(arguments.text("split")),
                       arguments.has("limit") ? arguments.integer("limit", 1) : 0);
}

std::shared_ptr<const data::Dataset> first_samples(const tasks::Task& task, tasks::Split split,
                                                   std::int64_t limit) {
  const auto whole = task.split(split);
  require(whole != nullptr, ErrorKind::config, "--split {}: the task has no such split",
          tasks::split_name(split));
  require(task.classifies(), ErrorKind::config,
          "the task asks for a trace, expected one that classifies");
  if (limit == 0 || limit >= whole->size()) return whole;
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(limit));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  return std::make_shared<data::Subset>(whole, std::move(numbers));
}

std::int64_t correct_decisions(const at::Tensor& outputs, const data::Dataset& dataset) {
  constexpr std::int64_t kBlock = 256;
  std::int64_t correct = 0;
  for (std::int64_t first = 0; first < dataset.size(); first += kBlock) {
    std::vector<std::int64_t> numbers(
        static_cast<std::size_t>(std::min(kBlock, dataset.size() - first)));
    std::iota(numbers.begin(), numbers.end(), first);
    const at::Tensor own = outputs.slice(0, first, first + kBlock);
    correct += own.argmax(1).eq(dataset.batch(numbers).target).sum().item<std::int64_t>();
  }
  return correct;
}

void print_result(const io::Json& result, bool json) {
  if (json) {
    fmt::print("{}\n", result.dump());
    return;
  }
  for (const auto& [name, value] : result.items()) {
    fmt::print("{:34} {}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

void print_report(const parity::Report& report, bool json) {
  io::Json result = report.json();
  if (!json) result.erase("rate_errors");
  print_result(result, json);
}

}  // namespace afterspike::cli
