"""Networks of neurons with rich dynamics: layers for PyTorch, trained runs and spiking simulation.

* :mod:`afterspike.nn`: GLIFR, ELM, ELMNetwork, RNN, GRU and LSTM as ``torch.nn.Module``.
* :func:`train`, :func:`evaluate`, :func:`predict`, :func:`silence`, :func:`cluster`, :func:`export`,
  :func:`load_run`: the commands of the program, with NumPy arrays and dictionaries as results.
* :mod:`afterspike.spiking`: networks of spiking neurons and their simulator.

Importing the package changes no setting of PyTorch.
"""

import torch as _torch  # Before the compiled part, which uses its libraries.

try:
    from . import _core
except ImportError as error:
    raise ImportError(
        f"afterspike: its compiled part does not fit PyTorch {_torch.__version__} ({error}). "
        "Install afterspike built against this PyTorch."
    ) from error

from . import nn, spiking
from ._threads import get_num_threads, set_num_threads
from .runs import (
    Checkpoint,
    Run,
    cluster,
    evaluate,
    export,
    load_checkpoint,
    load_run,
    predict,
    silence,
    train,
)

__version__ = _core.version

__all__ = [
    "Checkpoint",
    "Run",
    "cluster",
    "evaluate",
    "export",
    "get_num_threads",
    "load_checkpoint",
    "load_run",
    "nn",
    "predict",
    "set_num_threads",
    "silence",
    "spiking",
    "train",
]
