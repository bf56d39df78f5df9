#include "neuron_options.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"

namespace afterspike::nn {

void describe_initial(options::Section section, std::string_view name, Initial& member,
                      std::string_view help) {
  section.add_text(
      name, help, [&member] { return member.text(); },
      [&member, option = fmt::format("initial value '{}'", name)](const std::string& text) {
        member = Initial::parse(text, option);
      });
}

void describe_dropout(options::Section section, std::string_view name, double& member,
                      std::string_view help) {
  section.add(name, member, help).at_least(0).below(1);
}

std::int64_t delay_steps(const units::Duration& delay, double dt_ms, std::string_view model) {
  // A delay line holds what all neurons emitted at each of its steps: far more would fill the
  // memory.
  constexpr std::int64_t kLongest = 20000;
  const std::string what = fmt::format("{}: delay", model);
  const std::int64_t steps = delay.in_steps(dt_ms, what);
  require(steps <= kLongest && (steps > 0 || delay.value == 0), ErrorKind::config,
          "{}: {} is {} steps of {} ms, expected 0 or 1 to {} steps", what, delay.text(), steps,
          dt_ms, kLongest);
  return std::max<std::int64_t>(1, steps);
}

void set_trainable(std::vector<ParameterSpec>& intrinsic, std::string_view learn) {
  for (ParameterSpec& spec : intrinsic) spec.trainable = learn == "all";
  if (learn == "all" || learn == "none") return;
  std::vector<std::string_view> names;
  for (const ParameterSpec& spec : intrinsic) names.push_back(spec.name);
  while (!learn.empty()) {
    const auto comma = learn.find(',');
    std::string_view name = learn.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    bool found = false;
    for (ParameterSpec& spec : intrinsic) {
      if (spec.name == name) found = spec.trainable = true;
    }
    require(found, ErrorKind::config, "learn: no intrinsic parameter called '{}'{}; there are: {}",
            name, did_you_mean(name, names), fmt::join(names, ", "));
    learn = comma == std::string_view::npos ? "" : learn.substr(comma + 1);
  }
}

}  // namespace afterspike::nn
