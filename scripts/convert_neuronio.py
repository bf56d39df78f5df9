#!/usr/bin/env python3
"""Converts published NeuronIO simulations to the HDF5 files that afterspike reads.

The published files (Beniaguev, Segev, London 2021; on Kaggle, pickles named sim__*.p) hold 128 simulations of 6 s of a layer 5 pyramidal cell. Each becomes one HDF5 file; its
layout is described in docs/data-format.md. Pickles can hold programs: only plain containers and NumPy
arrays are let in.

usage: convert_neuronio.py PICKLE... --out DIR
Needs NumPy and h5py (Debian: python3-h5py).
"""
import argparse
import gzip
import pickle
import sys
from pathlib import Path

import h5py
import numpy as np

# Functions that rebuild NumPy's arrays and scalars, under the names of its old and new versions.
NUMPY_PARTS = {
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("_reconstruct", "scalar")
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"), ("__builtin__", "bytes")}

MOST_SEGMENTS = 32768  # Each has two synapses, whose numbers are stored in 16 bits.
MOST_STEPS = 2**32


class DataError(Exception):
    """A fault of a file."""


class DataUnpickler(pickle.Unpickler):
    """Rebuilds data, and refuses everything else that a pickle can contain."""

    def find_class(self, module, name):
        if (module, name) not in NUMPY_PARTS:
            raise DataError(f"asks for '{module}.{name}', which is no data; expected arrays and containers")
        return super().find_class(module, name)


def read_pickle(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        try:
            # Pickles of Python 2 hold arrays as text.
            return DataUnpickler(file, encoding="latin1").load()
        except DataError:
            raise
        # A damaged pickle can raise any error, because its bytes choose the arguments of the allowed functions.
        except Exception as error:
            raise DataError(f"is no pickle, or a damaged one: {error}") from error


def member(container, key, kind=object, what="a value"):
    if not isinstance(container, dict):
        raise DataError(f"found {type(container).__name__}, expected a dictionary with '{key}'")
    if key not in container:
        raise DataError(f"has no '{key}'")
    if not isinstance(container[key], kind):
        raise DataError(f"'{key}': found {type(container[key]).__name__}, expected {what}")
    return container[key]


def numbers(values, what):
    """Returns a row of finite doubles."""
    try:
        row = np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: expected numbers: {error}") from error
    if not np.isfinite(row).all():
        raise DataError(f"{what}: found a value that is not finite")
    return row


def whole_number(value, what):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise DataError(f"{what}: found {value!r}, expected a whole number")
    return int(value)


def input_spikes(spike_times, segments, steps, first_synapse, what):
    """Returns (times, synapses) of a map from segment to the steps of its spikes."""
    times, synapses = [], []
    rows = {whole_number(segment, f"{what}: a segment"): own for segment, own in spike_times.items()}
    for segment, own in sorted(rows.items()):
        if not 0 <= segment < segments:
            raise DataError(f"{what}: found segment {segment}, expected 0 to {segments - 1}")
        own = np.unique(numbers(own, f"{what}: segment {segment}"))
        if (own != np.floor(own)).any():
            raise DataError(f"{what}: segment {segment}: found a time between two steps, expected whole ms")
        if own.size and not (own[0] >= 0 and own[-1] < steps):
            raise DataError(f"{what}: segment {segment}: found a time beyond the {steps} ms")
        times.append(own.astype(np.int64))
        synapses.append(np.full(own.size, first_synapse + segment))
    return times, synapses


def convert_run(run, segments, steps):
    """Returns (times and synapses of the input in the order of time, times of output, soma)."""
    times, synapses = [], []
    for key, first in (("exInputSpikeTimes", 0), ("inhInputSpikeTimes", segments)):
        spike_times = member(run, key, dict, "a dictionary from segments to times")
        more_times, more_synapses = input_spikes(spike_times, segments, steps, first, key)
        times += more_times
        synapses += more_synapses
    times = np.concatenate(times) if times else np.empty(0, np.int64)
    synapses = np.concatenate(synapses) if synapses else np.empty(0, np.int64)
    order = np.lexsort((synapses, times))
    soma = numbers(member(run, "somaVoltageLowRes"), "somaVoltageLowRes").astype(np.float32)
    if soma.shape != (steps,):
        raise DataError(f"somaVoltageLowRes: found {soma.size} values, expected {steps}")
    output = numbers(member(run, "outputSpikeTimes"), "outputSpikeTimes")
    # A spike at t belongs to step floor(t - 0.5).
    if ((output < 0.5) | (output >= steps + 0.5)).any():
        raise DataError(f"outputSpikeTimes: found a time beyond the {steps} ms, expected 0.5 to below {steps + 0.5}")
    return times[order], synapses[order], output, soma


def settings_of(experiment):
    """Returns (types of the segments, number of steps)."""
    parameters = member(experiment, "Params", dict, "a dictionary")
    types = member(parameters, "allSegmentsType", (list, tuple, np.ndarray), "a list")
    if not 1 <= len(types) <= MOST_SEGMENTS:
        raise DataError(f"allSegmentsType: found {len(types)} segments, expected 1 to {MOST_SEGMENTS}")
    seconds = numbers(member(parameters, "totalSimDurationInSec"), "totalSimDurationInSec")
    steps = np.round(seconds * 1000)
    if steps.size != 1 or not 1 <= steps[0] <= MOST_STEPS or abs(steps[0] - seconds[0] * 1000) > 1e-6:
        raise DataError(f"totalSimDurationInSec: found {seconds}, expected whole ms, 1 to {MOST_STEPS}")
    return types, int(steps[0])


def convert(experiment):
    """Returns the data sets of the HDF5 file, by name."""
    types, steps = settings_of(experiment)
    results = member(experiment, "Results", dict, "a dictionary")
    runs = member(results, "listOfSingleSimulationDicts", (list, tuple), "a list")
    if not runs:
        raise DataError("has no simulations")
    converted = []
    for number, run in enumerate(runs):
        try:
            converted.append(convert_run(run, len(types), steps))
        except DataError as error:
            raise DataError(f"simulation {number}: {error}") from error
    times, synapses, output, soma = zip(*converted)

    def bounds(rows):
        return np.cumsum([0] + [len(row) for row in rows], dtype=np.int64)

    return {
        "input/ptr": bounds(times),
        "input/times_ms": np.concatenate(times).astype(np.uint16 if steps <= 65536 else np.uint32),
        "input/synapse": np.concatenate(synapses).astype(np.uint16),
        "output/ptr": bounds(output),
        "output/times_ms": np.concatenate(output),
        "soma_mV": np.stack(soma),
        "segment_is_apical": np.array([str(kind).startswith("apical") for kind in types], np.uint8),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("pickles", nargs="+", type=Path, metavar="PICKLE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for path in arguments.pickles:
        target = arguments.out / (path.name.removesuffix(".gz").removesuffix(".p") + ".h5")
        try:
            data = convert(read_pickle(path))
        except (DataError, OSError) as error:
            sys.exit(f"{path}: {error}")
        # Written under another name and renamed, so that an existing file is complete.
        staging = target.with_suffix(".h5.tmp")
        with h5py.File(staging, "w") as file:
            for name, values in data.items():
                file.create_dataset(name, data=values, compression="gzip", shuffle=True)
        staging.rename(target)
        print(target)


if __name__ == "__main__":
    main()
