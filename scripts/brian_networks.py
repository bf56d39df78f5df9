#!/usr/bin/env python3
"""Compiles a network of Brette et al. 2007 by Brian 2 into a folder, and runs it once.

`main` in the folder then runs it again and leaves its time in results/last_run_info.txt. Networks: cuba
(benchmark 2, exact integration), coba (benchmark 1, forward Euler) and cobahh (benchmark 3, exponential
Euler), with the methods of Brian's own examples. Prints the rate of E and I and the mean coefficient of
variation of the intervals of neurons with at least three spikes, without the first 500 ms.

usage: brian_networks.py NETWORK FOLDER [SECONDS] [STEP_MS] [SEED]
"""
import sys

import brian2 as b
import numpy as np
from brian2 import ms, mV, nS, pA, pF, second

MEMBRANE = dict(C=200 * pF, g_L=10 * nS, E_L=-60 * mV, E_ex=0 * mV, E_in=-80 * mV, start=50 * ms)
CONDUCTANCES = """
I_start = amplitude * int(t < start) : amp
dge/dt = -ge / (5*ms) : siemens
dgi/dt = -gi / (10*ms) : siemens
"""
CUBA = """
dv/dt = (ge + gi - (v - (-49*mV))) / (20*ms) : volt (unless refractory)
dge/dt = -ge / (5*ms) : volt
dgi/dt = -gi / (10*ms) : volt
"""
COBA = CONDUCTANCES + """
dv/dt = (g_L*(E_L - v) + ge*(E_ex - v) + gi*(E_in - v) + I_start) / C : volt (unless refractory)
"""
COBAHH = CONDUCTANCES + """
dv/dt = (g_L*(E_L - v) + ge*(E_ex - v) + gi*(E_in - v) + g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v)
         + I_start) / C : volt
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
alpha_m = 0.32*4/exprel((13 - u)/4)/ms : Hz
beta_m = 0.28*5/exprel((u - 40)/5)/ms : Hz
alpha_h = 0.128*exp((17 - u)/18)/ms : Hz
beta_h = 4/(1 + exp((40 - u)/5))/ms : Hz
alpha_n = 0.032*5/exprel((15 - u)/5)/ms : Hz
beta_n = 0.5*exp((10 - u)/40)/ms : Hz
u = (v - (-63*mV))/mV : 1
"""


def cuba():
    neurons = b.NeuronGroup(4000, CUBA, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms,
                            method="exact")
    neurons.v = "-60*mV + 10*mV*rand()"
    return neurons, 1.62 * mV, -9 * mV


def coba():
    neurons = b.NeuronGroup(4000, COBA, threshold="v > -50*mV", reset="v = E_L", refractory=5 * ms,
                            method="euler", namespace=dict(MEMBRANE, amplitude=300 * pA))
    neurons.v = "-60*mV + 10*mV*rand()"
    return neurons, 6 * nS, 67 * nS


def cobahh():
    channels = dict(g_Na=20000 * nS, g_K=6000 * nS, E_Na=50 * mV, E_K=-90 * mV, amplitude=500 * pA)
    neurons = b.NeuronGroup(4000, COBAHH, threshold="v > -20*mV", refractory=3 * ms,
                            method="exponential_euler", namespace=dict(MEMBRANE, **channels))
    neurons.v = "-65*mV + 5*mV*randn()"
    for gate in "mhn":
        setattr(neurons, gate, f"alpha_{gate}/(alpha_{gate} + beta_{gate})")
    return neurons, 6 * nS, 67 * nS


def variation(times, neuron):
    """Mean coefficient of variation of the intervals of neurons with at least three spikes."""
    values = []
    for index in np.unique(neuron):
        intervals = np.diff(times[neuron == index])
        if len(intervals) >= 2:
            values.append(intervals.std() / intervals.mean())
    return np.mean(values)


def main():
    name, folder = sys.argv[1:3]
    seconds, step, seed = list(map(float, sys.argv[3:])) + [10, 0.1, 1][len(sys.argv) - 3:]
    b.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b.defaultclock.dt = step * ms
    b.seed(int(seed))
    neurons, excites, inhibits = {"cuba": cuba, "coba": coba, "cobahh": cobahh}[name]()
    excitatory = b.Synapses(neurons[:3200], neurons, on_pre="ge += w", namespace=dict(w=excites))
    excitatory.connect(p=0.02)
    inhibitory = b.Synapses(neurons[3200:], neurons, on_pre="gi += w", namespace=dict(w=inhibits))
    inhibitory.connect(p=0.02)
    monitor = b.SpikeMonitor(neurons)
    b.run(seconds * second)
    b.device.build(directory=folder, compile=True, run=True)
    times, neuron = np.asarray(monitor.t / ms), np.asarray(monitor.i)
    kept = times > 500
    times, neuron = times[kept], neuron[kept]
    rates = [np.sum(part) / size / (seconds - 0.5) for part, size in
             ((neuron < 3200, 3200), (neuron >= 3200, 800))]
    print(f"{name}: Brian 2, {step} ms, seed {int(seed)}: {rates[0]:.2f} {rates[1]:.2f} spikes/s,"
          f" CV {variation(times, neuron):.3f}")


main()
