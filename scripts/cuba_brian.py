#!/usr/bin/env python3
"""Compiles the CUBA network of Brette et al. 2007 (benchmark 2, exponential currents) by Brian 2 into a
folder: `main` there runs 10 s in steps of 0.1 ms and leaves its time in results/last_run_info.txt.

usage: cuba_brian.py FOLDER
"""
import sys

import brian2 as b
from brian2 import ms, mV, second

b.set_device("cpp_standalone", directory=sys.argv[1], build_on_run=False)
b.defaultclock.dt = 0.1 * ms
b.seed(1)

EQUATIONS = """
dv/dt = (ge + gi - (v - (-49*mV))) / (20*ms) : volt (unless refractory)
dge/dt = -ge / (5*ms) : volt
dgi/dt = -gi / (10*ms) : volt
"""
neurons = b.NeuronGroup(4000, EQUATIONS, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms,
                        method="exact")
neurons.v = "-60*mV + 10*mV*rand()"
excitatory = b.Synapses(neurons[:3200], neurons, on_pre="ge += 1.62*mV")
excitatory.connect(p=0.02)
inhibitory = b.Synapses(neurons[3200:], neurons, on_pre="gi += -9*mV")
inhibitory.connect(p=0.02)
spikes = b.SpikeMonitor(neurons)
b.run(10 * second)
b.device.build(directory=sys.argv[1], compile=True, run=True)
rate = spikes.num_spikes / 4000 / 10
if not 5 < rate < 6.5:
    sys.exit(f"found {rate} spikes/s, expected about 5.7")
