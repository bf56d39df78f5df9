"""The equations of docs/numerics.md, written out in plain PyTorch."""
import torch


def glifr(layer, input, sigma_mV=1.0, dt_ms=1.0, resistance=0.1, delay=1):
    """Rates of a GLIFR layer [steps, batch, H] from its physical parameters."""
    threshold, decay = layer.physical("threshold"), layer.physical("membrane_decay")
    weights = layer.layers[0].input_weight, layer.layers[0].recurrent_weight
    k, r, a = (layer.physical("after_spike_" + name) for name in ("decay", "multiplicative", "additive"))
    zeros = input.new_zeros(input.shape[1], threshold.numel())
    voltage, line = zeros, [zeros] * delay
    current = input.new_zeros(k.shape[0], *zeros.shape)
    rates = []
    for x in input:
        synaptic, before = x @ weights[0] + line[0] @ weights[1], line[-1]
        current = (1 - dt_ms * k)[:, None] * current + before * (a[:, None] + r[:, None] * current)
        voltage = (synaptic + (1 - decay * dt_ms) * voltage - before * voltage
                   + decay * dt_ms * resistance * current.sum(0))
        rates.append(torch.sigmoid((voltage - threshold) / sigma_mV))
        line = line[1:] + [rates[-1]]
    return torch.stack(rates)
