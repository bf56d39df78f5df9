#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/conversion.hpp"
#include "afterspike/spiking/connect.hpp"

namespace afterspike::formats {

std::string text_of(const Deviation& deviation) {
  constexpr std::size_t kShown = 8;
  std::string where;
  if (deviation.values > 0) where = fmt::format("{} values", deviation.values);
  if (!deviation.neurons.empty()) {
    const auto shown = std::min(kShown, deviation.neurons.size());
    const std::vector<std::int64_t> first(
        deviation.neurons.begin(), std::next(deviation.neurons.begin(), static_cast<long>(shown)));
    where +=
        fmt::format("{}{} neurons: {}{}", where.empty() ? "" : " of ", deviation.neurons.size(),
                    fmt::join(first, ", "), shown < deviation.neurons.size() ? ", ..." : "");
  }
  return fmt::format("population '{}': {}{}: replaced by {}", deviation.population, deviation.what,
                     where.empty() ? "" : fmt::format(" ({})", where), deviation.replacement);
}

io::Json json_of(const Deviation& deviation) {
  return {{"what", deviation.what},
          {"replacement", deviation.replacement},
          {"population", deviation.population},
          {"neurons", deviation.neurons},
          {"values", deviation.values}};
}

Conversion converted(const ExporterEntry& format, const spiking::Network& network,
                     const Options& options) {
  // No format states rules as ours are drawn.
  spiking::Network listed = network;
  spiking::expand_rules(listed);
  Conversion conversion = format.convert(listed, options);
  std::string list;
  for (const Deviation& deviation : conversion.deviations) list += "\n  " + text_of(deviation);
  require(options.approximate || conversion.deviations.empty(), ErrorKind::config,
          "export: format '{}' cannot say all of this network; expected --approximate, which does"
          " this:{}",
          format.name, list);
  spiking::validate(conversion.network);
  count_approximated(conversion);
  return conversion;
}

Conversion export_network(const ExporterEntry& format, const spiking::Network& network,
                          const std::filesystem::path& path, const Options& options) {
  Conversion conversion = converted(format, network, options);
  format.write(conversion, path);
  return conversion;
}

void count_approximated(Conversion& conversion) {
  std::int64_t values = 0;
  for (const Deviation& deviation : conversion.deviations) values += deviation.values;
  if (values == 0) return;
  conversion.network.provenance["approximated"] = std::to_string(values);
  if (conversion.shown) conversion.shown->provenance = conversion.network.provenance;
}

}  // namespace afterspike::formats
