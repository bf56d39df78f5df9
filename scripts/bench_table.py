#!/usr/bin/env python3
"""Runs `afterspike bench` for a table of shapes, all paths in turns, and writes docs/performance.md.

usage: bench_table.py --program PROGRAM [--rounds N] [--rows 1,5] [--out FILE]
"""
import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median


@dataclass
class Row:
    """A shape, its targets, and the times of the authors' Python (on another machine)."""

    name: str
    shape: dict
    speed: float  # composed : fused, at least
    floor: float | None  # fused : its matrix products, at most
    memory: int  # composed by the whole batch at once : fused, at least
    python_s: float
    python_gib: float | None
    aim: str
    repeats: int = 20  # of the fused path
    composed_repeats: int = 2  # for steps that take seconds
    rivals: tuple = ()
    halves: bool = False  # also in bfloat16


ROWS = [
    Row("GLIFR 252, batch 512, 784 steps, 1 input, delay 300",
        dict(neuron="glifr", hidden=252, batch=512, steps=784, input=1, delay="300steps"),
        6, 1.8, 8, 5.2, 8.0, "0.65 s (bf16 0.4 s)", repeats=5, halves=True),
    Row("GLIFR 128, batch 64, 784 steps, 1 input, delay 1",
        dict(neuron="glifr", hidden=128, batch=64, steps=784, input=1, delay="1steps"),
        8, 1.9, 5, 0.49, None, "0.045 s", composed_repeats=10, rivals=("lstm", "gru", "rnn")),
    Row("GLIFR 256, batch 256, 784 steps, 1 input, delay 1",
        dict(neuron="glifr", hidden=256, batch=256, steps=784, input=1, delay="1steps"),
        3, 1.5, 5, 2.0, 6.1, "0.5 s", repeats=8, rivals=("lstm", "gru", "rnn")),
    Row("GLIFR 252, batch 256, 28 steps, 28 inputs, delay 20",
        dict(neuron="glifr", hidden=252, batch=256, steps=28, input=28, delay="20steps"),
        6, None, 3, 0.094, None, "0.012 s", repeats=40, composed_repeats=40),
    Row("ELM 100, MLP 200, batch 8, 1000 steps, 700 sparse inputs",
        dict(neuron="elm", hidden=100, batch=8, steps=1000, input=700),
        8, None, 3, 0.42, None, "0.04 s", repeats=40, composed_repeats=8),
]


def way_name(way, batch):
    if way["rows"] < batch:
        return f"shards of {way['rows']}"
    inside = f", {way['library_threads']} threads within operations" if way["library_threads"] > 1 else ""
    return f"whole batch{inside}"


@dataclass
class Case:
    """A path of a row with the measurements of every round."""

    label: str
    flags: dict
    rounds: list = field(default_factory=list)

    def least(self, key):
        return min(one[key] for one in self.rounds)

    def median_s(self):
        return median(one["step_s_median"] for one in self.rounds)

    def best(self):
        return min(self.rounds, key=lambda one: one["step_s_min"])

    def memory_mib(self):
        best = self.best()
        return best["peak_rss_mib"] - best["base_rss_mib"]

    def way(self):
        return way_name(self.best(), self.flags["batch"])

    def ways(self):
        """All ways to divide the batch, of all rounds."""
        return [way for one in self.rounds for way in one["ways"]]


def cases(row):
    found = [Case("fused, 2 threads", dict(row.shape, path="fused", threads=2, repeats=row.repeats))]
    for threads in (1, 2):
        found.append(Case(f"composed, {threads} thread{'s' if threads > 1 else ''}",
                          dict(row.shape, path="composed", threads=threads, repeats=row.composed_repeats)))
    if row.halves:
        found.append(Case("fused in bfloat16, 2 threads",
                          dict(row.shape, path="fused", threads=2, repeats=row.repeats, precision="bfloat16")))
    for neuron in row.rivals:
        shape = dict(row.shape, neuron=neuron, threads=2)
        found.append(Case(f"{neuron}, fused, 2 threads", dict(shape, path="fused", repeats=row.repeats)))
        found.append(Case(f"LibTorch's {neuron}, 2 threads",
                          dict(shape, path="library", repeats=row.composed_repeats)))
    return found


def measure(program, flags):
    words = [program, "bench", "--json"]
    for name, value in flags.items():
        words += [f"--{name}", str(value)]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def package_version(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True)
    return done.stdout or "unknown"


def tree_version(program):
    """The commit of this script's sources, if the program belongs to it, too."""
    root = Path(__file__).resolve().parents[1]
    if not Path(shutil.which(program) or program).resolve().is_relative_to(root):
        return ""
    try:
        top, commit = (subprocess.run(["git", "-C", root, *words], capture_output=True, text=True).stdout.strip()
                       for words in (["rev-parse", "--show-toplevel"], ["describe", "--always", "--dirty"]))
    except OSError:
        return ""
    return f" (sources at {commit})" if top and Path(top) == root else ""


def machine():
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpu)
    total = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    flags = re.search(r"flags\s*: (.*)", cpu)
    known = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flags and name in flags.group(1).split()]
    parts = [model.group(1) if model else platform.machine(), f"cores: {len(os.sched_getaffinity(0))}", *known]
    if total:
        parts.append(f"{int(total.group(1)) / 2**20:.0f} GiB")
    return ", ".join(parts)


def mark(good):
    return "" if good else " (missed)"


def steps_of(results):
    """The fused step, and in bfloat16 if measured."""
    text = f"{results[0].least('step_s_min'):.3f} s"
    for case in results:
        if case.flags.get("precision") == "bfloat16":
            text += f" (bf16 {case.least('step_s_min'):.3f} s)"
    return text


def memory_cells(row, results):
    """Ratio of composed operations to the fused path: for the whole batch, and for the way that takes least."""
    fused, batch = results[0].memory_mib(), row.shape["batch"]
    ways = [way for case in results[1:3] for way in case.ways()]
    whole = min((way["memory_mib"] for way in ways if way["rows"] >= batch), default=None)
    if whole is None:
        beside_whole = "the whole batch needs more than there is"
    else:
        beside_whole = f"1/{whole / fused:.1f} (at most 1/{row.memory}){mark(whole / fused >= row.memory)}"
    least = min(ways, key=lambda way: way["memory_mib"])
    return f"{beside_whole} | 1/{least['memory_mib'] / fused:.1f} ({way_name(least, batch)}, {least['step_s_min']:.3f} s)"


def verdict(row, results):
    """The line of a row: ratios beside their targets."""
    fused, composed = results[0], min(results[1:3], key=lambda case: case.least("step_s_min"))
    speed = composed.least("step_s_min") / fused.least("step_s_min")
    # Wall time if every thread had its own core.
    spent = min(results[1].least("cpu_s_min"), results[2].least("cpu_s_min") / 2)
    cpu = spent / (fused.least("cpu_s_min") / 2)
    floor = fused.least("step_s_min") / fused.least("gemm_s")
    most = composed.least("step_s_min") / fused.least("gemm_s")
    python_memory = "" if row.python_gib is None else f", {row.python_gib} GiB"
    floor_text = "-" if row.floor is None else f"{floor:.2f} (at most {row.floor}){mark(floor <= row.floor)}"
    return (f"| {row.name} | {speed:.1f} (at least {row.speed}){mark(speed >= row.speed)} | {cpu:.1f} | {most:.1f} "
            f"| {floor_text} | {memory_cells(row, results)} "
            f"| {steps_of(results)} | {row.aim} | {row.python_s} s{python_memory} |")


def detail(case):
    best = case.best()
    return (f"| {case.label} | {case.way()} | {case.least('step_s_min'):.4f} | {case.median_s():.4f} "
            f"| {best['forward_s']:.4f} | {best['backward_s']:.4f} | {case.least('cpu_s_min'):.4f} "
            f"| {case.least('gemm_s'):.4f} | {case.memory_mib():.0f} | {best['parameters']} |")


@contextmanager
def other_work(count):
    """Processes that compute endlessly beside the measured one."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@dataclass
class Busy:
    """The third row, on two cores, by number of threads and of other processes."""

    label: str
    threads: int
    others: int
    rounds: list = field(default_factory=list)

    def measure(self, program):
        with other_work(self.others):
            self.rounds.append(measure(program, dict(ROWS[2].shape, path="fused", threads=self.threads, repeats=8)))

    def medians(self):
        """Over the rounds: a step's median time, and its least CPU time, in seconds."""
        return [median(one[key] for one in self.rounds) for key in ("step_s_median", "cpu_s_min")]


def busy_cases():
    return [Busy("2 threads", 2, 0), Busy("8 threads", 8, 0), Busy("2 threads beside 2 processes that never wait", 2, 2)]


def busy_lines(found):
    if not found:
        return []
    alone, alone_cpu = found[0].medians()
    rows = [f"| {case.label} | {step:.3f} | {step / alone:.2f} | {cpu:.3f} | {cpu / alone_cpu:.2f} |"
            for case in found for step, cpu in [case.medians()]]
    return ["", "## More threads than cores, and a busy machine", "",
            f"{ROWS[2].name}, fused. Beside as many other processes as it has threads, and cores, half of the machine is a "
            "step's share: about twice the wall, and no more CPU time, is what it may cost.", "",
            "| two cores | step, s (median) | to the first | CPU, s (least) | to the first |", "|---|---|---|---|---|", *rows]


HEAD = """# Performance

A training step (forward, cross entropy of the last step, backward, Adam) on synthetic data, in single precision unless stated,
measured by `afterspike bench`; written by `scripts/bench.sh`. The header `include/afterspike/bench/bench.hpp` says
what each number means.

**Fused** is the whole-sequence kernel; **composed** the same network by operations of LibTorch, one by one; LibTorch's lstm, gru
and rnn are its own layers, beside our kernel for the same. Answers were held against each other before anything was timed. Composed operations are measured with one thread and
with two, in shards and by the whole batch at once; the quickest counts. Paths take turns, so that a busy machine
slows all alike; times are the least of all rounds, but where a median is named. Memory is what the process of a path takes beyond what it held
before its first step; its ratio is to composed operations that take the whole batch at once, as they are usually written (and the authors'
are), and beside it to the way of those tried that takes least, which goes through the batch in shards. Aims are no bars.
"""

AFTER = """
Earlier versions of this page had ratios of 8.6, 11.2, 7.4, 6.5 and 35.2 on an Intel Xeon of 2023: OpenBLAS did not know the processor and took
functions of 2004 for LibTorch's products ([since mended](architecture.md)), which flattered the kernels.

*CPU* is the same ratio by processor time, each thread with a core of its own. On a busy machine it is the nearer one:
there a process gets its share of the cores however many threads it has, and the wall then takes from the fused path
what its second thread is worth. *Most* is the ratio that a step would have that were nothing but its matrix products, which no kernel in float32
exceeds. *Floor* is the step beside its matrix products alone, computed in turns with the steps in the same order,
shapes, shards and threads. All of these differ between processors: an [AMD EPYC](performance_epyc.md), with an earlier version, had
floors of 1.4 to 1.7 where composed operations took 2.4 to 17 times the time. The authors' Python (PyTorch, the code of the papers)
was timed before, with two cores of an AMD EPYC.

Bfloat16 is the quicker one where the processor multiplies it faster than float32; [not all do](results.md#bfloat16).
"""


def document(host, version, rounds, load, rows, results, busy):
    first = results[0][0].rounds[0]
    openblas = f" as {first['openblas']}" if first["openblas"] else ""
    lines = [HEAD, "## Machine", "", f"- {host}; kernels by {first['kernel']}",
             f"- {version}, LibTorch {package_version('libtorch-dev')}, oneDNN {package_version('libdnnl-dev')}, "
             f"OpenBLAS {package_version('libopenblas-pthread-dev')}{openblas}",
             f"- {rounds} round{'s' if rounds > 1 else ''}; load average {load[0]:.1f} at the beginning and "
             f"{load[1]:.1f} at the end",
             *([f"- {len(rows)} of the {len(ROWS)} shapes of `scripts/bench_table.py`"] if len(rows) < len(ROWS) else []),
             "", "## Ratios", "",
             "| shape | composed : fused, wall | CPU | most | floor | memory, fused : composed | to the way that takes least "
             "| fused step | aim | authors' Python, EPYC |", "|---|---|---|---|---|---|---|---|---|---|"]
    lines += [verdict(row, found) for row, found in zip(rows, results)]
    lines += [AFTER, "## All numbers"]
    for row, found in zip(rows, results):
        lines += ["", f"### {row.name}", "",
                  "| path | quickest way | step, s | median, s | forward, s | backward, s | CPU, s | products, s "
                  "| memory, MiB | parameters |", "|---|---|---|---|---|---|---|---|---|---|"]
        lines += [detail(case) for case in found]
    lines += busy_lines(busy)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", default="1,2,3,4,5", help="which rows of the table")
    parser.add_argument("--out", default="docs/performance.md")
    options = parser.parse_args()
    numbers = options.rows.split(",")
    if not all(number.isdecimal() and 1 <= int(number) <= len(ROWS) for number in numbers):
        parser.error(f"--rows: found '{options.rows}', expected numbers from 1 to {len(ROWS)} with commas")
    rows = [ROWS[int(number) - 1] for number in numbers]
    results = [cases(row) for row in rows]
    busy = busy_cases() if ROWS[2] in rows and len(os.sched_getaffinity(0)) == 2 else []
    host = machine()
    version = subprocess.run([options.program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    version += tree_version(options.program)
    before = os.getloadavg()[0]
    for turn in range(options.rounds):
        for row, found in zip(rows, results):
            for case in found:
                case.rounds.append(measure(options.program, case.flags))
                print(f"round {turn + 1}: {row.name}: {case.label}: {case.rounds[-1]['step_s_min']:.4f} s", flush=True)
        load = (before, os.getloadavg()[0])
        for case in busy:
            case.measure(options.program)
            print(f"round {turn + 1}: {case.label}: {case.rounds[-1]['step_s_median']:.4f} s", flush=True)
        # After every round, so that measurements survive if a later round is stopped.
        Path(options.out).write_text(document(host, version, turn + 1, load, rows, results, busy))
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
