#include "afterspike/transfer/parity.hpp"
#include "afterspike/experiment/run_directory.hpp"

#include <utility>

#include <fmt/format.h>

#include "afterspike/experiment/experiment.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

int run_parity(std::span<const std::string> words) {
  Arguments arguments(
      "parity", "Compares a run with the spiking network exported from it, on the same samples.",
      "RUN NET [--split test] [--limit N] [--as glif3] [--engine exact] [--seed S] "
      "[--json]");
  arguments.example("afterspike parity runs/a net.h5 --limit 200")
      .positional({"RUN", "NET"})
      .value("split", "SPLIT", "train, validation or test.", "test")
      .value("limit", "N", "Use only the first N samples.")
      .flag("json", "Print one JSON object.");
  add_data_directory(add_threads(add_engine(arguments)));
  if (!arguments.parse(words)) return 0;
  const experiment::Trained trained = experiment::load(arguments.words()[0]);
  const spiking::Options options = simulation_options(arguments);
  spiking::Network whole = spiking::read_network(arguments.words()[1]);
  require_of_run(whole, trained);
  const spiking::Network network = converted(arguments, std::move(whole));
  const auto task = trained.experiment->make_task(
      {data_directory(arguments), experiment::run_of(trained.checkpoint)});
  const auto data = samples_of(*task, arguments);
  ThreadPool pool(threads(arguments));
  print_report(transfer::compare(trained, network, *data, options, pool), arguments.has("json"));
  return 0;
}

}  // namespace

CommandEntry entry_parity() {
  return {"parity", "compare a run with the spiking network exported from it", run_parity};
}

}  // namespace afterspike::cli
