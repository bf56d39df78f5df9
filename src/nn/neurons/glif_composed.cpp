#include "glif_composed.hpp"

namespace afterspike::nn {

at::Tensor ComposedGlif::active() const {
  const std::deque<at::Tensor>& line = lines_.at("spiked");
  at::Tensor active = at::ones_like(line.front());
  for (std::size_t r = 0; r < line.size(); ++r) {
    active = active - c_.at("waiting")[static_cast<std::int64_t>(r)] * line[line.size() - 1 - r];
  }
  return active;
}

at::Tensor ComposedGlif::moved(const at::Tensor& drive) const {
  at::Tensor synapses = (each("synapse_gain") * state_.at("synaptic")).sum(0);
  if (o_.alpha) synapses = synapses + (each("rise_gain") * state_.at("rise")).sum(0);
  return c_.at("keep") * voltage() + c_.at("gain") * drive + synapses;
}

at::Tensor ComposedGlif::crossed(const at::Tensor& above) const {
  if (!settings_.hard) return at::sigmoid(above * settings_.slope);
  const at::Tensor surrogate = above / (2 * (settings_.width + above.abs()));
  return above.gt(0).to(above.scalar_type()) + (surrogate - surrogate.detach());
}

void ComposedGlif::advance_synapses(const at::Tensor& arriving) {
  at::Tensor& synaptic = state_.at("synaptic");
  synaptic = each("synapse_keep") * synaptic;
  if (!o_.alpha) {
    synaptic = synaptic + arriving;
    return;
  }
  at::Tensor& rise = state_.at("rise");
  synaptic = synaptic + each("rise_keep") * rise;
  rise = each("synapse_keep") * rise + each("rise_jump") * arriving;
}

at::Tensor ComposedGlif::step(at::Tensor drive, const at::Tensor& arriving) {
  at::Tensor currents;
  if (o_.currents() > 0) {
    currents = state_.at("after_spike_current");
    drive = drive + (each("current_mean") * currents).sum(0);
  }
  const at::Tensor before = voltage(), passed = moved(drive);
  at::Tensor threshold = c_.at("threshold"), reset = c_.at("reset"), spike_part, voltage_part;
  if (o_.has_spike_threshold()) {
    reset = reset + c_.at("fraction") * (before - threshold);
    spike_part = c_.at("spike_keep") * state_.at("threshold_spike");
    threshold = threshold + spike_part;
  }
  if (o_.has_voltage_threshold()) {
    voltage_part = c_.at("part_keep") * state_.at("threshold_voltage") +
                   c_.at("part_gain") * before + c_.at("part_drive") * drive;
    threshold = threshold + voltage_part;
  }
  active_ = active();
  spiked_ = active_ * crossed(passed - threshold);
  state_["voltage"] = mixed(before, passed, reset);
  if (o_.has_spike_threshold()) {
    state_["threshold_spike"] = mixed(state_.at("threshold_spike"), spike_part,
                                      c_.at("spike_refractory") * spike_part + c_.at("spike_add"));
  }
  if (o_.has_voltage_threshold()) {
    state_["threshold_voltage"] = mixed(state_.at("threshold_voltage"), voltage_part, voltage_part);
  }
  if (o_.currents() > 0) {
    const at::Tensor left = each("current_keep") * currents;
    state_["after_spike_current"] =
        mixed(currents, left, each("current_factor") * left + each("current_add"));
  }
  advance_synapses(arriving);
  push("spiked", spiked_);
  return spiked_;
}

}  // namespace afterspike::nn
