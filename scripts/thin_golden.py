#!/usr/bin/python3
"""Makes tests/golden from the full golden data: thin_golden.py FULL OUT

FULL holds what NEST 3, AllenSDK and the authors' code of ELM and GLIFR computed (some 40 MB). OUT gets what the
tests read, small enough for the repository: datasets are compressed, recorded traces end after their first
TRACE samples, and members that no test reads are left out. Spike times, inputs, parameters, gradients are whole.
Needs h5py (python3-h5py).
"""
import pathlib
import shutil
import sys

import h5py

TRACE = 300  # samples, 30 ms at 0.1 ms
TRACES = ("V_m", "threshold", "threshold_spike", "threshold_voltage")
COPIED = ("clustering", "spiking/sonata_glif")


def everything(path):
    return True


def of_nest(path):
    """The neurons of NEST that the simulator has; unused traces are left out."""
    name = path.rsplit("/", 1)[-1]
    return name in TRACES or name == "spike_times" or name.startswith(("current_", "in_"))


def of_lif(path):
    return path.startswith("iaf_psc") and of_nest(path)


def of_allen(path):
    return "/dt1e-05/" in path and path.endswith(("/stim", "/spike_times_ms_end_of_step"))


FILES = {
    "golden_elm.h5": everything,
    "golden_elmnet.h5": everything,
    "golden_glifr.h5": everything,
    "spiking/golden_glif_exact.h5": everything,
    "spiking/golden_glif_net.h5": everything,
    "spiking/golden_glif_psc.h5": of_nest,
    "spiking/golden_neurons.h5": of_lif,
    "spiking/golden_allen_glif.h5": of_allen,
}


def wanted_members(full, wanted):
    names = []
    full.visit(lambda path: names.append(path) if wanted(path) else None)
    return names


def copy_attributes(full, thin):
    """Copies the attributes of the copied members and of all groups above them."""
    paths = ["/"]
    thin.visit(paths.append)
    for path in paths:
        for name, value in full[path].attrs.items():
            thin[path].attrs[name] = value


def copy_member(full, thin, path):
    if isinstance(full[path], h5py.Group):  # It may have attributes but no members.
        thin.require_group(path)
        return
    data = full[path][()]
    if path.rsplit("/", 1)[-1] in TRACES:
        data = data[:TRACE]
    large = getattr(data, "nbytes", 0) > 1024
    options = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if large else {}
    thin.create_dataset(path, data=data, dtype=full[path].dtype, **options)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: thin_golden.py FULL OUT")
    source, out = (pathlib.Path(argument) for argument in sys.argv[1:])
    for name, wanted in FILES.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        # libver: small headers for hundreds of small groups.
        with h5py.File(source / name) as full, h5py.File(out / name, "w", libver="latest") as thin:
            for path in wanted_members(full, wanted):
                copy_member(full, thin, path)
            copy_attributes(full, thin)
        print(f"{(out / name).stat().st_size:10} {name}")
    for name in COPIED:
        shutil.copytree(source / name, out / name, dirs_exist_ok=True, copy_function=shutil.copyfile)


if __name__ == "__main__":
    main()
