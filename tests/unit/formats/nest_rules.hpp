#pragma once

#include <string>
#include <vector>

#include "afterspike/io/json.hpp"

namespace afterspike::testing {

/// Why NEST 3.10 would refuse to make a glif_psc neuron of these parameters, by what
/// Parameters_::set and State_::set of its models/glif_psc.cpp check; empty where it takes them.
inline std::string nest_refusal(const io::Json& given) {
  // Defaults of a neuron.
  io::Json p = {{"asc_init", {0.0, 0.0}},
                {"asc_decay", {0.003, 0.1}},
                {"asc_amps", {-9.18, -198.94}},
                {"asc_r", {1.0, 1.0}},
                {"voltage_reset_fraction", 0.2}};
  p.update(given);
  const bool spike = p["spike_dependent_threshold"], currents = p["after_spike_currents"],
             voltage = p["adapting_threshold"];
  if (voltage && !(spike && currents)) return "Incorrect model mechanism combination setting";
  const std::size_t count = p["asc_decay"].size();
  for (const char* list : {"asc_init", "asc_amps", "asc_r"}) {
    if (currents && p[list].size() != count) return std::string(list) + ": must have the same size";
  }
  for (const double r : p["asc_r"]) {
    if (currents && (r < 0 || r > 1)) return "asc_r must be within [0.0, 1.0]";
  }
  for (const char* decay : {"asc_decay", "tau_syn"}) {
    for (const double each : p[decay]) {
      if (each <= 0) return std::string(decay) + " must be strictly positive";
    }
  }
  if (p["V_reset"].get<double>() >= p["V_th"].get<double>()) return "V_reset is not below V_th";
  for (const char* name : {"C_m", "g", "t_ref"}) {
    if (p[name].get<double>() <= 0) return std::string(name) + " must be strictly positive";
  }
  const double fraction = p["voltage_reset_fraction"];
  if (spike && (fraction < 0 || fraction > 1)) return "voltage fraction must be within [0.0, 1.0]";
  if (!given.contains("ASCurrents")) return "";
  if (!currents) return "after spike currents are not supported";
  return p["ASCurrents"].size() == count ? "" : "ASCurrents must have the same size";
}

}  // namespace afterspike::testing
