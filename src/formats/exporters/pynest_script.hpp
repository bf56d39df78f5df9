#pragma once

#include <cstdint>
#include <string_view>

namespace afterspike::formats {

/// Version of the arrays of format 'pynest' (docs/export-semantics.md).
inline constexpr std::int64_t kPynestVersion = 1;

/// Script that is written beside the arrays.
inline constexpr std::string_view kPynestScript = R"script(#!/usr/bin/env python3
"""Builds the network of net.h5, beside this file, in NEST (3.x), runs it, and prints its spikes.

usage: run_nest.py MILLISECONDS [VALUES.csv]

VALUES.csv: a row for each step of the input, a column for each channel, no header. NEST's generators
give nothing in their first step: with values the network's time begins a step after NEST's, and
spikes are printed in the network's.
"""
import json
import sys
from pathlib import Path

import h5py
import nest
import numpy as np


def connect(sources, neurons, table, prefix, receptors=True):
    if len(table[prefix + "src"]) == 0:
        return
    synapse = {"weight": table[prefix + "weight"][()], "delay": table[prefix + "delay"][()]}
    if receptors:
        synapse["receptor_type"] = table[prefix + "port"][()]
    first, start = sources[0].global_id, neurons[0].global_id
    nest.Connect(table[prefix + "src"][()] + first, table[prefix + "tgt"][()] + start, "one_to_one", synapse)


def main():
    duration = float(sys.argv[1])
    values = np.loadtxt(sys.argv[2], delimiter=",", ndmin=2) if len(sys.argv) > 2 else None
    with h5py.File(Path(__file__).parent / "net.h5") as table:
        begin = 0.0 if values is None else float(table.attrs["dt"])
        nest.ResetKernel()
        nest.resolution = float(table.attrs["dt"])
        parameters = json.loads(table.attrs["params"])
        neurons = nest.Create("glif_psc", len(parameters))
        neurons.set(parameters)
        connect(neurons, neurons, table, "")
        trains = [table["in_times"][str(i)][()] for i in range(len(table["in_times"]))]
        if trains:
            generators = nest.Create("spike_generator", len(trains))
            generators.set([{"spike_times": times + begin} for times in trains])
            connect(generators, neurons, table, "in_")
        step = {"delay": float(table.attrs["dt"])}  # NEST's default is 1 ms, whatever the resolution
        for neuron, current in zip(neurons, table["I_e"][()]):
            if current != 0:  # glif_psc has no I_e
                generator = nest.Create("dc_generator", params={"amplitude": current})
                nest.Connect(generator, neuron, syn_spec=step)
        if values is not None:
            times = begin + float(table.attrs["input_step"]) * np.arange(len(values) + 1)
            channels = nest.Create("step_current_generator", values.shape[1])
            channels.set([{"amplitude_times": times, "amplitude_values": np.append(column, 0.0)}
                          for column in values.T])
            connect(channels, neurons, table, "current_", receptors=False)
        recorder = nest.Create("spike_recorder")
        nest.Connect(neurons, recorder, syn_spec=step)
        nest.Simulate(duration + begin)
        events = recorder.events
        for time, sender in sorted(zip(events["times"], events["senders"])):
            print(f"{time - begin:.4f},{sender - neurons[0].global_id}")


if __name__ == "__main__":
    main()
)script";

}  // namespace afterspike::formats
