"""Training and analysis of runs: the commands of the program, called from Python.

Results are NumPy arrays and dictionaries; those of columns go into ``pandas.DataFrame(...)`` as they
are. ``data_dir`` is the directory of data sets: by default $AFTERSPIKE_DATA_DIR, else
datasets/data if it exists, else $XDG_DATA_HOME/afterspike or ~/.local/share/afterspike.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

import numpy as np
import torch

from . import _core
from ._safetensors import existing
from ._threads import get_num_threads
from .nn import Network

PathLike = Union[str, os.PathLike]

_logger = logging.getLogger("afterspike")


def _log(level: str, message: str) -> None:
    getattr(_logger, level)("%s", message)


_core.log_to(_log)


def _data_directory(given: Optional[PathLike]) -> str:
    if given is not None:
        return existing(given)
    for name in ("AFTERSPIKE_DATA_DIR", "AFTERSPIKE_DATA"):
        if os.environ.get(name):
            return os.environ[name]
    if os.path.isdir("datasets/data"):
        return "datasets/data"
    base = os.environ.get("XDG_DATA_HOME", "")
    base = base if os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "afterspike")


def _command(data_dir: Optional[PathLike]) -> "_core.Command":
    return _core.Command(_data_directory(data_dir), get_num_threads(), threading.active_count() == 1)


def _path_of(run: Union[PathLike, "Checkpoint"]) -> str:
    if isinstance(run, Checkpoint):
        run._require_open()
        return existing(run.path)
    if not isinstance(run, (str, os.PathLike)):
        raise TypeError(f"run: found {type(run).__name__}, expected a path or what load_run() gives.")
    return existing(run)


def _paths_of(runs: Any) -> List[str]:
    single = isinstance(runs, (str, os.PathLike, Checkpoint))
    paths = [_path_of(run) for run in ([runs] if single else runs)]
    if not paths:
        raise ValueError("runs: found none, expected one run or more.")
    return paths


def _free(path: PathLike) -> str:
    text = os.fspath(path)
    if os.path.lexists(text):
        raise FileExistsError(errno.EEXIST, "expected a new name, for nothing is replaced", text)
    return text


class Checkpoint:
    """A trained network as it was saved. :func:`load_checkpoint` makes it.

    Attributes:
        path: the directory of the checkpoint.
        configuration: every option by its path, as text.
        progress: counters of the training.
        parameters: a dictionary for each parameter: name, symbol, unit, transform, shape ...
        values: the raw values by name, as tensors.
    """

    def __init__(self, path: PathLike) -> None:
        checkpoint, content, values = _core.load(existing(path))
        self._content: Dict[str, Any] = json.loads(content)
        self._values: Optional[Dict[str, torch.Tensor]] = values
        self._network: Optional[Network] = None
        self.checkpoint = Path(checkpoint)
        self.path = self.checkpoint

    def _require_open(self) -> None:
        if self._values is None:
            raise ValueError(f"{self.path}: it was closed. Load it again: afterspike.load_run(...).")

    @property
    def configuration(self) -> Dict[str, Any]:
        self._require_open()
        return self._content["configuration"]

    @property
    def progress(self) -> Dict[str, Any]:
        self._require_open()
        return self._content["progress"]

    @property
    def parameters(self) -> List[Dict[str, Any]]:
        self._require_open()
        return self._content["parameters"]

    @property
    def values(self) -> Dict[str, torch.Tensor]:
        self._require_open()
        assert self._values is not None
        return self._values

    @property
    def network(self) -> Network:
        """The network as ``torch.nn.Module``; the same one at each access."""
        self._require_open()
        if self._network is None:
            self._network = Network(json.dumps(self.configuration), self.values)
            self._network.eval()
        return self._network

    def save(self, path: PathLike) -> Path:
        """Writes a checkpoint with the present parameters of :attr:`network`.

        Every command takes it: ``afterspike evaluate PATH``. The state of the optimiser is not
        written.
        """
        self._require_open()
        _core.save_checkpoint(os.fspath(self.checkpoint), self.network.state_dict(), _free(path))
        return Path(path)

    def close(self) -> None:
        """Drops network and values. Later use raises ValueError."""
        self._values = None
        self._network = None

    def __enter__(self):
        self._require_open()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._values is None else f"step {self._content['progress']['step']}"
        return f"{type(self).__name__}({str(self.path)!r}, {state})"


class Run(Checkpoint):
    """A run with its selected checkpoint. :func:`load_run` makes it.

    Attributes besides those of :class:`Checkpoint`:
        path: the directory of the run.
        metrics: columns of the epochs, by name, as NumPy arrays; NaN where a cell is empty.
        summary: the content of summary.json; None until the training has ended.
        end: how :func:`train` ended: "finished", "patience", "interrupted", "time_limit" or
            "step_limit"; None for a loaded run.
    """

    def __init__(self, path: PathLike, end: Optional[str] = None) -> None:
        super().__init__(path)
        self.path = Path(path)
        self.end = end

    @property
    def metrics(self) -> Dict[str, np.ndarray]:
        self._require_open()
        file = self.path / "metrics.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        names = list(dict.fromkeys(name for row in rows for name in row))
        return {name: np.array([row.get(name, np.nan) for row in rows], float) for name in names}

    @property
    def summary(self) -> Optional[Dict[str, Any]]:
        self._require_open()
        file = self.path / "summary.json"
        return json.loads(file.read_text()) if file.exists() else None


def load_run(path: PathLike) -> Run:
    """Returns a run with its selected network (``best``, else ``latest``).

    Raises FileNotFoundError, or ValueError for what is no run or is damaged.
    """
    return Run(path)


def load_checkpoint(path: PathLike) -> Checkpoint:
    """Returns a checkpoint, the only one of a folder, or the selected one of a run."""
    return Checkpoint(path)


_SHORT = {
    "batch_size": "train.batch_size",
    "learning_rate": "train.learning_rate",
    "optimizer": "train.optimizer",
    "epochs": "train.epochs",
    "hidden": "network.hidden",
    "layers": "network.layers",
    "seed": "seed",
}


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(_value_text(one) for one in value)
    return str(value)


def train(
    task: str = "line_mnist",
    neuron: str = "glifr",
    *,
    out: PathLike,
    config: Optional[PathLike] = None,
    options: Optional[Mapping[str, Any]] = None,
    resume: bool = False,
    max_steps: int = 0,
    time_limit_s: float = 0,
    data_dir: Optional[PathLike] = None,
    callback: Optional[Callable[[Dict[str, Any]], None]] = None,
    **short: Any,
) -> Run:
    """Trains a network as ``afterspike train`` does, to the same bits, and returns the run.

    Args:
        task, neuron: names of ``afterspike list tasks`` and ``list neurons``.
        out: directory of the run; must not exist, except with ``resume``.
        config: an experiment file (TOML), for this task and neuron.
        options: any option by its path: ``{"train.weight_decay": 0.01, "neuron.delay": "3 steps"}``.
        resume: continue the run ``out``; ``epochs`` may be raised.
        max_steps, time_limit_s: stop and save after so many steps in all, or seconds; 0: no limit.
        callback: called with a dictionary after each step (``event`` "step", ``step``, ``steps``,
            ``epoch``) and each epoch (``event`` "epoch" and its metrics). An exception in it stops
            the training after the next step, with a checkpoint, and is raised.
        **short: ``epochs``, ``batch_size``, ``learning_rate``, ``optimizer``, ``hidden``,
            ``layers``, ``seed``.

    Ctrl-C saves and returns: ``run.end`` is "interrupted", and ``resume=True`` continues.
    """
    settings = [(path, _value_text(value)) for path, value in (options or {}).items()]
    for name, value in short.items():
        if name not in _SHORT:
            raise TypeError(f"train: there is no argument {name!r}; there are: {', '.join(_SHORT)}.")
        settings.append((_SHORT[name], _value_text(value)))
    epochs = int(short.get("epochs", 0)) if resume else 0
    if resume and (options or config or set(short) - {"epochs"}):
        raise ValueError("train: resume takes epochs only: a run goes on as it was created.")
    target = existing(out) if resume else _free(out)

    def report(text: str) -> None:
        assert callback is not None
        callback(json.loads(text))

    end = _core.train(
        task,
        neuron,
        existing(config) if config is not None else "",
        target,
        settings,
        resume,
        epochs,
        max_steps,
        time_limit_s,
        _command(data_dir),
        report if callback is not None else None,
    )
    return Run(out, end)


def evaluate(
    run: Union[PathLike, Checkpoint], split: str = "test", data_dir: Optional[PathLike] = None
) -> Dict[str, Any]:
    """Returns loss and measures of the selected network on "train", "validation" or "test"."""
    return json.loads(_core.evaluate(_path_of(run), split, _command(data_dir)))


def predict(
    run: Union[PathLike, Checkpoint],
    inputs: Any,
    lengths: Optional[Sequence[int]] = None,
) -> np.ndarray:
    """Applies the selected network to sequences.

    Args:
        inputs: ``[samples, steps, features]``.
        lengths: steps of each sequence; by default all.

    Returns:
        Probabilities of the classes ``[samples, classes]`` if the task classifies, else the outputs
        ``[samples, steps, outputs]``.
    """
    array = np.ascontiguousarray(inputs, dtype=np.float32)
    if array.ndim != 3:
        raise ValueError(
            f"inputs: found the shape {list(array.shape)}, expected [samples, steps, features]."
        )
    if array.size == 0:
        raise ValueError(f"inputs: found the shape {list(array.shape)}, expected at least one step.")
    if not np.isfinite(array).all():
        raise ValueError("inputs: they have values that are not finite. Look for NaN in the data.")
    steps = None
    if lengths is not None:
        steps = torch.as_tensor(np.asarray(lengths, dtype=np.int64))
        fine = steps.shape == (array.shape[0],) and int(steps.min()) >= 1
        if not fine or int(steps.max()) > array.shape[1]:
            raise ValueError(
                f"lengths: expected {array.shape[0]} numbers of 1 to {array.shape[1]} steps."
            )
    outputs, classes = _core.predict(_path_of(run), torch.from_numpy(array), steps, _command(None))
    return (torch.softmax(outputs.double(), 1) if classes else outputs).numpy()


def silence(
    runs: Any,
    fractions: Sequence[float] = (0, 0.2, 0.4, 0.6, 0.8, 1),
    *,
    by: str = "random",
    trials: int = 10,
    seed: int = 1,
    split: str = "test",
    limit: int = 0,
    data_dir: Optional[PathLike] = None,
    callback: Optional[Callable[[int, int], None]] = None,
) -> Dict[str, np.ndarray]:
    """Evaluates networks with neurons silenced, without retraining.

    Args:
        runs: a run or several.
        fractions: of the hidden neurons, ascending.
        by: "random"; "rate" or a parameter such as "threshold_mV", highest first; or a CSV file of
            clusters.
        trials: random draws at each fraction.
        split, limit: the samples; the first ``limit`` if it is not 0.
        callback: called with the numbers of finished and of all evaluations.

    Returns:
        Columns: run, fraction, trial, neurons (silenced), loss and, if the task classifies,
        accuracy; by clusters also cluster and control.
    """
    levels = [float(level) for level in fractions]
    return {
        name: np.array(values)
        for name, values in _core.silence(
            _paths_of(runs), levels, by, split, trials, limit, seed, _command(data_dir), callback
        ).items()
    }


def cluster(
    runs: Any,
    k: Sequence[int] = (2, 11),
    *,
    clusters: int = 0,
    standardise: str = "zscore",
    replicates: int = 100,
    seed: int = 1,
) -> Dict[str, Any]:
    """Clusters neurons by their learned intrinsic parameters, and tests whether there are clusters.

    Args:
        runs: a run or several, which are clustered together and compared.
        k: smallest and largest number of clusters to try.
        clusters: the number of clusters to describe; 0: the best by Calinski-Harabasz.
        standardise: "zscore" or "none".
        replicates: of bootstrap, null test and gap each; 0 omits these.

    Returns:
        The report of ``afterspike cluster --json`` (docs/analyses.md), and under "neurons" columns
        with run, layer, neuron and parameters of each neuron.
    """
    if standardise not in ("zscore", "none"):
        raise ValueError(f"standardise: found {standardise!r}, expected 'zscore' or 'none'.")
    least, most = (int(number) for number in k)
    if not 2 <= least <= most <= 1000:
        raise ValueError(f"k: found ({least}, {most}), expected two ascending numbers, 2 to 1000.")
    report, columns = _core.cluster(
        _paths_of(runs), least, most, clusters, standardise == "zscore", replicates, seed,
        _command(None),
    )
    result = json.loads(report)
    result["neurons"] = {name: np.array(values) for name, values in columns.items()}
    return result


def export(
    run: Union[PathLike, Checkpoint],
    format: str = "native",
    *,
    out: PathLike,
    mode: str = "threshold",
    copies: int = 1,
    time_step_ms: float = 0,
    approximate: bool = False,
) -> List[str]:
    """Writes the selected network as spiking neurons and returns a line for each replacement.

    Args:
        format: a name of ``afterspike list formats``; "native" is read by :mod:`afterspike.spiking`.
        out: file or directory to write; must not exist.
        mode: "threshold", "escape" or "population" (docs/export-semantics.md).
        copies: of each neuron, for "population".
        time_step_ms: duration of a step; 0: as in training.
        approximate: replace and list what the format cannot represent, instead of refusing it.
    """
    return _core.export_run(
        _path_of(run), _free(out), format, mode, copies, time_step_ms, approximate
    )
