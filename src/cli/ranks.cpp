#include "ranks.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <torch/version.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/kernels/instructions.hpp"
#include "afterspike/train/connect.hpp"

namespace afterspike::cli {
namespace {

constexpr std::int64_t kHighestPort = 65'535;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

train::Rendezvous rendezvous_of(const Arguments& arguments) {
  std::optional<std::string> address;
  std::optional<int> port;
  if (arguments.has("master-address")) address = arguments.text("master-address");
  if (arguments.has("master-port")) {
    port = static_cast<int>(arguments.integer("master-port", 1, kHighestPort));
  }
  return train::read_rendezvous(variable, address, port);
}

double at_least_a_second(const Arguments& arguments, const std::string& flag) {
  const double value = units::parse(arguments.text(flag), "s", "--" + flag);
  require(value >= 1, ErrorKind::config, "--{}: found '{}', expected at least 1 s", flag,
          arguments.text(flag));
  return value;
}

}  // namespace

Arguments& add_ranks(Arguments& arguments) {
  return arguments.group("Several processes")
      .value("master-address", "HOST", "Address of rank 0 (default: $MASTER_ADDR).")
      .value("master-port", "N", "TCP port of rank 0 (default: $MASTER_PORT).")
      .value("join-timeout", "T", "Longest wait for all processes to start.", "300 s")
      .value("rank-timeout", "T", "A process that is silent for this long is lost.", "30 s");
}

io::Json facts(const Arguments& arguments, train::RunOptions* options) {
  io::Json facts = {{"version of afterspike", AFTERSPIKE_VERSION},
                    {"version of LibTorch", TORCH_VERSION},
                    {"instructions of the kernels", kernels::instructions()},
                    {"processor that OpenBLAS computes as (OPENBLAS_CORETYPE)", openblas_core()},
                    {"--resume", arguments.has("resume")}};
  for (const char* flag : {"epochs", "max-steps", "seeds"}) {
    if (arguments.has(flag)) facts[fmt::format("--{}", flag)] = arguments.text(flag);
  }
  if (options == nullptr) return facts;
  options::Description description;
  options->describe(description);
  for (const options::Field& field : description.fields()) {
    facts[fmt::format("option '{}'", field.path())] = options::text(field.value());
  }
  return facts;
}

int work_together(const Arguments& arguments, const std::function<int(train::Ranks& ranks)>& work) {
  const train::Rendezvous rendezvous = rendezvous_of(arguments);
  train::ConnectOptions options;
  options.join_timeout_s = at_least_a_second(arguments, "join-timeout");
  options.rank_timeout_s = at_least_a_second(arguments, "rank-timeout");
  options.token = variable("AFTERSPIKE_TOKEN").value_or("");
  if (rendezvous.size == 1) return work(train::alone());
  options.give_up = [rank = rendezvous.rank](const Error& error) {
    fmt::print(stderr, "afterspike: rank {}: {}\n", rank, error.what());
    std::_Exit(exit_status(error.kind()));
  };
  if (rendezvous.rank > 0) log::set_sink([](log::Level, std::string_view) {});
  try {
    const auto ranks = train::connect(rendezvous, options);
    try {
      return work(*ranks);
    } catch (const Error& error) {
      ranks->stop(error);
      throw;
    } catch (const std::exception& error) {
      ranks->stop(Error(ErrorKind::internal, error.what()));
      throw;
    }
  } catch (const Error& error) {
    throw error.within(fmt::format("rank {}", rendezvous.rank));
  }
}

}  // namespace afterspike::cli
