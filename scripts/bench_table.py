#!/usr/bin/env python3
"""Runs `afterspike bench` for a table of shapes, all paths in turns, and writes docs/performance.md.

usage: bench_table.py --program PROGRAM [--rounds N] [--rows 1,5] [--out FILE] [--details FILE]
"""
import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import textwrap
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
        beside_whole = "more than the machine has"
    else:
        beside_whole = f"1/{whole / fused:.1f} (at most 1/{row.memory}){mark(whole / fused >= row.memory)}"
    least = min(ways, key=lambda way: way["memory_mib"])
    return f"{beside_whole} | 1/{least['memory_mib'] / fused:.1f} ({way_name(least, batch)}, {least['step_s_min']:.3f} s)"


def speed_line(number, row, results):
    """The ratios of a row beside their targets."""
    fused, composed = results[0], min(results[1:3], key=lambda case: case.least("step_s_min"))
    speed = composed.least("step_s_min") / fused.least("step_s_min")
    # Wall time if every thread had its own core.
    spent = min(results[1].least("cpu_s_min"), results[2].least("cpu_s_min") / 2)
    cpu = spent / (fused.least("cpu_s_min") / 2)
    floor = fused.least("step_s_min") / fused.least("gemm_s")
    most = composed.least("step_s_min") / fused.least("gemm_s")
    floor_text = "-" if row.floor is None else f"{floor:.2f} (at most {row.floor}){mark(floor <= row.floor)}"
    return (f"| {number}: {row.name} | {speed:.1f} (at least {row.speed}){mark(speed >= row.speed)} | {cpu:.1f} "
            f"| {most:.1f} | {floor_text} |")


def cost_line(number, row, results):
    """Time and memory of a row."""
    python_memory = "" if row.python_gib is None else f", {row.python_gib} GiB"
    return (f"| {number} | {steps_of(results)} | {row.aim} | {memory_cells(row, results)} "
            f"| {row.python_s} s{python_memory} |")


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
    return ["", "## A busy machine", "",
            *wrapped(f"{ROWS[2].name}, fused, on two cores. Beside as many other processes as cores, a step gets half of "
                     "the machine: it may take twice the wall time, and no more CPU time."), "",
            "| two cores | step, s (median) | to the first | CPU, s (least) | to the first |", "|---|---|---|---|---|",
            *rows]


def rival_lines(found):
    """Our kernels for lstm, gru and rnn beside LibTorch's layers."""
    rows = []
    for number, row, results in found:
        by_label = {case.label: case for case in results}
        for neuron in row.rivals:
            own = by_label[f"{neuron}, fused, 2 threads"].least("step_s_min")
            other = by_label[f"LibTorch's {neuron}, 2 threads"].least("step_s_min")
            rows.append(f"| {number}: {neuron} | {own:.4f} | {other:.4f} | {other / own:.1f} |")
    if not rows:
        return []
    return ["", "## Beside LibTorch's layers", "", *wrapped(RIVALS), "",
            "| shape | fused, s | LibTorch, s | ratio |", "|---|---|---|---|", *rows]


def wrapped(text):
    """The lines of a paragraph, as long as Markdown may be here; `- ` at its start makes it an item of a list."""
    return textwrap.wrap(text, 120, subsequent_indent="  " if text.startswith("- ") else "", break_long_words=False,
                         break_on_hyphens=False)


HEAD = (
    "# Performance",
    "This page shows how long a training step takes with the kernels, beside LibTorch's operations. `scripts/bench.sh` "
    "measures and writes it; `--details FILE` also writes every number.",
    "A step is forward, cross entropy of the last step, backward and Adam, on synthetic data, in single precision "
    "unless stated. `include/afterspike/bench/bench.hpp` defines every number of `afterspike bench`.",
    "**Fused** is the whole-sequence kernel, **composed** the same network by LibTorch's operations one by one. Their "
    "answers are compared before anything is timed. Composed operations are tried with one and two threads, in shards "
    "and with the whole batch at once; the fastest counts. Paths take turns, so that other work on the machine slows "
    "all of them; times are the least of all rounds.",
    "Memory is the growth of a process after its start. It is compared with composed operations on the whole batch, as "
    "they are usually written, and with the thriftiest way that was tried, which uses shards. Aims are goals, not "
    "limits.",
)

AFTER = (
    "*CPU* is the ratio of processor times, each thread with its own core. *Most* is the ratio of a step that consists "
    "only of its matrix products: no kernel in float32 exceeds it. *Floor* is the step beside its matrix products "
    "alone, with the same order, shapes, shards and threads. All of them depend on the processor: an "
    "[AMD EPYC](performance_epyc.md), with an earlier version, had floors of 1.4 to 1.7.",
    "The authors' Python (PyTorch, the code of the papers) was timed on two cores of an AMD EPYC. Bfloat16 is faster "
    "only on processors that multiply it faster than float32; [not all do](results.md#bfloat16).",
    "Versions before OpenBLAS was told the processor ([why](architecture.md)) showed ratios of 8.6, 11.2, 7.4, 6.5 and "
    "35.2, because LibTorch's products were slow.",
)


RIVALS = "The same layer by our kernel and by LibTorch, each with two threads."


def paragraphs(texts):
    return [line for text in texts for line in (*wrapped(text), "")]


def document(host, version, rounds, load, rows, results, busy):
    first = results[0][0].rounds[0]
    openblas = f" as {first['openblas']}" if first["openblas"] else ""
    facts = [f"- {host}; kernels by {first['kernel']}",
             f"- {version}, LibTorch {package_version('libtorch-dev')}, oneDNN {package_version('libdnnl-dev')}, "
             f"OpenBLAS {package_version('libopenblas-pthread-dev')}{openblas}",
             f"- {rounds} round{'s' if rounds > 1 else ''}; load average {load[0]:.1f} at the beginning and "
             f"{load[1]:.1f} at the end"]
    if len(rows) < len(ROWS):
        facts.append(f"- {len(rows)} of the {len(ROWS)} shapes of `scripts/bench_table.py`")
    found = list(zip(range(1, len(rows) + 1), rows, results))
    lines = [*paragraphs(HEAD), "## Machine", "", *[line for fact in facts for line in wrapped(fact)],
             "", "## Ratios", "",
             "| shape | composed : fused, wall | CPU | most | floor |", "|---|---|---|---|---|",
             *[speed_line(*each) for each in found], "",
             "| shape | fused step | aim | memory, fused : composed | to the thriftiest way | authors' Python |",
             "|---|---|---|---|---|---|", *[cost_line(*each) for each in found], "", *paragraphs(AFTER)]
    return "\n".join([*lines[:-1], *rival_lines(found), *busy_lines(busy)]) + "\n"


def details(rows, results):
    """Every number, as Markdown."""
    lines = ["# All numbers of scripts/bench.sh"]
    for row, found in zip(rows, results):
        lines += ["", f"## {row.name}", "",
                  "| path | fastest way | step, s | median, s | forward, s | backward, s | CPU, s | products, s "
                  "| memory, MiB | parameters |", "|---|---|---|---|---|---|---|---|---|---|"]
        lines += [detail(case) for case in found]
    return "\n".join(lines) + "\n"


def kept_section(path):
    """The section of scripts/bench_python.py in the file that is to be replaced; empty if it has none."""
    text = path.read_text() if path.exists() else ""
    start = text.find("\n## Layers in PyTorch\n")
    return text[start:] if start >= 0 else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", default="1,2,3,4,5", help="which rows of the table")
    parser.add_argument("--out", default="docs/performance.md")
    parser.add_argument("--details", help="a second file, with every number")
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
        out = Path(options.out)
        out.write_text(document(host, version, turn + 1, load, rows, results, busy) + kept_section(out))
        if options.details:
            Path(options.details).write_text(details(rows, results))
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
