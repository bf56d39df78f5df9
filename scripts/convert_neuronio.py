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

# What NumPy's arrays and scalars are rebuilt with, under the names of its old and new versions.
NUMPY_PARTS = {
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("_reconstruct", "scalar")
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"), ("__builtin__", "bytes")}


class DataError(Exception):
    """What is wrong with a file."""


class DataUnpickler(pickle.Unpickler):
    """Rebuilds data, and refuses everything else that a pickle can ask for."""

    def find_class(self, module, name):
        if (module, name) not in NUMPY_PARTS:
            raise DataError(f"asks for '{module}.{name}', which is no data; expected arrays and containers")
        return super().find_class(module, name)


def read_pickle(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        try:
            # Those of Python 2 hold arrays as text.
            return DataUnpickler(file, encoding="latin1").load()
        except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, IndexError, KeyError) as error:
            raise DataError(f"is no pickle: {error}") from error


def member(container, key):
    if not isinstance(container, dict) or key not in container:
        raise DataError(f"has no '{key}'")
    return container[key]


def input_spikes(spike_times, segments, steps, first_synapse, what):
    """(times, synapses) of a map from segment to the steps of its spikes."""
    times, synapses = [], []
    for segment, own in sorted(spike_times.items()):
        own = np.unique(np.asarray(own, dtype=np.int64))
        if not 0 <= segment < segments:
            raise DataError(f"{what}: found segment {segment}, expected 0 to {segments - 1}")
        if own.size and not (own[0] >= 0 and own[-1] < steps):
            raise DataError(f"{what}: segment {segment}: found a time beyond the {steps} ms")
        times.append(own)
        synapses.append(np.full(own.size, first_synapse + segment))
    return times, synapses


def convert_run(run, segments, steps):
    """(times and synapses of the input in the order of time, times of output, soma)."""
    times, synapses = [], []
    for key, first in (("exInputSpikeTimes", 0), ("inhInputSpikeTimes", segments)):
        more_times, more_synapses = input_spikes(member(run, key), segments, steps, first, key)
        times += more_times
        synapses += more_synapses
    times = np.concatenate(times) if times else np.empty(0, np.int64)
    synapses = np.concatenate(synapses) if synapses else np.empty(0, np.int64)
    order = np.lexsort((synapses, times))
    soma = np.asarray(member(run, "somaVoltageLowRes"), dtype=np.float32)
    if soma.shape != (steps,) or not np.isfinite(soma).all():
        raise DataError(f"somaVoltageLowRes: found shape {soma.shape}, expected ({steps},) and finite values")
    output = np.asarray(member(run, "outputSpikeTimes"), dtype=np.float64).reshape(-1)
    return times[order], synapses[order], output, soma


def convert(experiment):
    """The data sets of the HDF5 file, by name."""
    parameters = member(experiment, "Params")
    types = member(parameters, "allSegmentsType")
    steps = int(round(float(member(parameters, "totalSimDurationInSec")) * 1000))
    runs = member(member(experiment, "Results"), "listOfSingleSimulationDicts")
    if not runs or not len(types):
        raise DataError("has no simulations or no segments")
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
        # Written beside and renamed, so that a file that is there is whole.
        staging = target.with_suffix(".h5.tmp")
        with h5py.File(staging, "w") as file:
            for name, values in data.items():
                file.create_dataset(name, data=values, compression="gzip", shuffle=True)
        staging.rename(target)
        print(target)


if __name__ == "__main__":
    main()
