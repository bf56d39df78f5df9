// Projections by rule in the HDF5 file of a network.

#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "afterspike/spiking/connect.hpp"
#include "network/network_file_access.hpp"

namespace afterspike::spiking {
namespace {

std::vector<double> numbers_of(const Distribution& distribution) {
  return {static_cast<double>(distribution.kind), distribution.first, distribution.second,
          distribution.min, distribution.max};
}

Distribution read_distribution(const NetworkReader& reader, const std::string& group,
                               std::string_view name) {
  const std::vector<double> numbers = reader.array<double>(group, name);
  const auto last = static_cast<double>(Distribution::Kind::exponential);
  const bool known = numbers.size() == 5 && numbers[0] >= 0 && numbers[0] <= last &&
                     numbers[0] == std::floor(numbers[0]);
  require(known, ErrorKind::data, "'{}': {}: found {}, expected kind, two numbers, min and max",
          group, name, fmt::join(numbers, ", "));
  return {static_cast<Distribution::Kind>(static_cast<int>(numbers[0])), numbers[1], numbers[2],
          numbers[3], numbers[4]};
}

}  // namespace

/// The group of networks without rules is absent, so their files do not change.
void write_rules(NetworkWriter& writer, const Network& network) {
  for (std::size_t index = 0; index < network.rule_projections.size(); ++index) {
    const RuleProjection& rule = network.rule_projections[index];
    const std::string group = fmt::format("/rule_projections/{}", index);
    writer.array(group, "weight", numbers_of(rule.connection.weight));
    writer.array(group, "delay", numbers_of(rule.connection.delay));
    writer.array<std::uint64_t>(group, "key", {rule.key});
    writer.integer(group, "source", rule.source);
    writer.integer(group, "target", rule.target);
    writer.text(group, "rule", name_of(rule.connection.rule));
    writer.integer(group, "count", rule.connection.count);
    writer.integer(group, "receptor", rule.connection.receptor);
  }
}

void read_rules(const NetworkReader& reader, Network& network) {
  const std::string groups = "/rule_projections";
  if (!reader.file().exists(groups)) return;
  for (const std::string& group : reader.numbered(groups)) {
    RuleProjection rule;
    rule.source = reader.integer(group, "source");
    rule.target = reader.integer(group, "target");
    rule.connection.rule = connection_rule(reader.text(group, "rule"));
    rule.connection.count = reader.integer(group, "count");
    rule.connection.receptor = reader.integer(group, "receptor");
    rule.connection.weight = read_distribution(reader, group, "weight");
    rule.connection.delay = read_distribution(reader, group, "delay");
    const auto key = reader.array<std::uint64_t>(group, "key");
    require(key.size() == 1, ErrorKind::data, "'{}': key: found {} values, expected 1", group,
            key.size());
    rule.key = key[0];
    network.rule_projections.push_back(rule);
  }
}

}  // namespace afterspike::spiking
