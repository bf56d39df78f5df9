#!/usr/bin/env python3
"""Times a training step of afterspike.nn.GLIFR against the program's fused step and the eager PyTorch loop.

usage: PYTHONPATH=build/release/python scripts/bench_python.py [--program build/release/bin/afterspike]
           [--batch 128] [--steps 784] [--repeats 5] [--shapes 28x252,1x128]

A step: forward, cross entropy of the last step, backward, Adam, on one thread. Processor time, so that other
processes at work matter little; the three take turns, and the table has the fastest of each.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import torch

import afterspike

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
from eager import glifr  # noqa: E402


def step_of(forward, parameters, input, target):
    optimizer = torch.optim.Adam(parameters, 1e-3)

    def step():
        start = time.process_time()
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(forward(input), target).backward()
        optimizer.step()
        return time.process_time() - start

    return step


def program_step(program, inputs, neurons, words):
    command = [program, "bench", "--neuron", "glifr", "--input", str(inputs), "--hidden", str(neurons), "--json",
               "--threads", "1", "--repeats", "1", "--warmup", "1", *words]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result["cpu_s_min"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bin/afterspike")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=784)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--shapes", default="28x252,1x128")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    words = ["--batch", str(arguments.batch), "--steps", str(arguments.steps)]
    print("| inputs, neurons | program, s | afterspike.nn, s | eager, s | package / program | eager / package |")
    print("|---|---|---|---|---|---|")
    for shape in arguments.shapes.split(","):
        inputs, neurons = map(int, shape.split("x"))
        layer = afterspike.nn.GLIFR(inputs, neurons, dt_ms=0.05)
        readout = torch.nn.Linear(neurons, 10)
        input = torch.randn(arguments.steps, arguments.batch, inputs)
        target = torch.randint(10, (arguments.batch,))
        parameters = [*layer.parameters(), *readout.parameters()]
        package = step_of(lambda x: readout(layer(x, first=-1)[0][-1]), parameters, input, target)
        eager = step_of(lambda x: readout(glifr(layer, x, dt_ms=0.05)[-1]), parameters, input, target)
        package(), eager()
        turns = [(program_step(arguments.program, inputs, neurons, words), package(), package(), eager())
                 for _ in range(arguments.repeats)]
        program, one, two, slow = (min(column) for column in zip(*turns))
        fast = min(one, two)
        print(f"| {inputs}, {neurons} | {program:.3f} | {fast:.3f} | {slow:.3f} | {fast / program:.2f} | "
              f"{slow / fast:.1f} |", flush=True)


if __name__ == "__main__":
    main()
