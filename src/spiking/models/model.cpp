#include "afterspike/spiking/model.hpp"

#include "afterspike/base/registry.hpp"

namespace afterspike::spiking {

std::size_t Model::variable(std::string_view variable_name) const {
  if (variable_name == "V_m") variable_name = "V";
  std::vector<std::string_view> names;
  for (const Variable& each : variables) {
    if (each.name == variable_name) return names.size();
    names.push_back(each.name);
  }
  fail(ErrorKind::usage, "no variable called '{}'{}; there are: {}", variable_name,
       did_you_mean(variable_name, names), fmt::join(names, ", "));
}

const Model& model(std::string_view name) {
  return find_entry(models(), name, "model of spiking neurons").model;
}

}  // namespace afterspike::spiking
