"""Neuron layers as ``torch.nn.Module``, with the signatures of ``torch.nn.LSTM``.

On the CPU, in float32 and float64, a pass from rest runs whole-sequence kernels with exact
gradients. Other passes (another device, a given state, gradients by the final state) are composed of
PyTorch's operations, with equal results.

Parameters are raw values under the names of checkpoints, ``layers.0.threshold``;
:meth:`Layers.physical` has them with their units. Any option of the neuron model can be given by
keyword: ``GLIFR(28, 252, delay=3, sigma="0.5 mV")``. Numbers take the option's own unit, integers for
delays are steps. ``print(GLIFR.options())`` lists all options.
"""

from __future__ import annotations

import difflib
import json
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

from . import _core, _safetensors
from ._threads import get_num_threads

__all__ = ["ALIF", "ELM", "ELMNetwork", "GLIFR", "GRU", "LSTM", "Layers", "Network", "Option", "RNN"]

State = List[Dict[str, Tensor]]


class Option(NamedTuple):
    """An option of a neuron model."""

    name: str
    type: str
    default: str
    help: str


def _text(option: Option, value: Any) -> str:
    """Writes a value as experiment files have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        if option.type.startswith("a quantity in "):
            return f"{value!r} {option.type[len('a quantity in '):]}"
        if option.type.startswith("a duration"):
            return f"{value!r} steps" if isinstance(value, int) else f"{value!r} ms"
        return repr(value)
    if isinstance(value, str):
        return value
    raise TypeError(
        f"{option.name}: found {type(value).__name__}, expected a number, a bool or text."
    )


def _neuron_options(neuron: str, given: Dict[str, Any]) -> List[Tuple[str, str]]:
    known = {row[0]: Option(*row) for row in _core.options_of(neuron)}
    chosen = []
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(known)}."
            raise TypeError(f"{neuron}: there is no option {name!r}.{hint}")
        chosen.append((name, _text(known[name], value)))
    return chosen


def _size(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: found {value!r}, expected an integer.")
    if value < 1:
        raise ValueError(f"{name}: found {value}, expected 1 or more.")
    return value


class _LayerParameters(torch.nn.Module):
    """The parameters of one layer; it computes nothing itself."""


class Layers(torch.nn.Module):
    """Stacked recurrent layers of one kind of neurons; the base of the classes below."""

    _neuron = ""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        batch_first: bool = False,
        dt_ms: float = 1.0,
        seed: Optional[int] = None,
        device: Optional[Union[str, torch.device]] = None,
        dtype: Optional[torch.dtype] = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if not self._neuron:
            raise TypeError("Layers has no neurons: build GLIFR, ELM, ELMNetwork, RNN, GRU or LSTM.")
        self.input_size = _size("input_size", input_size)
        self.hidden_size = _size("hidden_size", hidden_size)
        self.num_layers = _size("num_layers", num_layers)
        self.batch_first = bool(batch_first)
        self.dt_ms = float(dt_ms)
        self.neuron_options = _neuron_options(self._neuron, options)
        self._make_stack()
        self._register()
        self.reset_parameters(seed)
        if device is not None or dtype is not None:
            self.to(device=device, dtype=dtype)

    def _make_stack(self) -> None:
        self._stack = _core.Stack(
            self._neuron,
            self.input_size,
            self.hidden_size,
            self.num_layers,
            self.dt_ms,
            self.batch_first,
            self.neuron_options,
        )

    def _register(self) -> None:
        self.layers = torch.nn.ModuleList()
        self._names: List[str] = []
        for row in self._stack.parameters():
            _, index, name = row["name"].split(".")
            while len(self.layers) <= int(index):
                self.layers.append(_LayerParameters())
            value = torch.nn.Parameter(row["tensor"].detach().clone(), requires_grad=row["trainable"])
            self.layers[int(index)].register_parameter(name, value)
            self._names.append(row["name"])

    def _tensors(self) -> Dict[str, Tensor]:
        # By attribute, so that parametrisations and functional calls are seen.
        found = {}
        for name in self._names:
            _, index, own = name.split(".")
            found[name] = getattr(self.layers[int(index)], own)
        return found

    # A module is copied and pickled by its options and parameters.
    def __getstate__(self) -> Dict[str, Any]:
        state = self.__dict__.copy()
        del state["_stack"]
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        super().__setstate__(state)
        self._make_stack()

    @classmethod
    def options(cls) -> List[Option]:
        """Returns all options of the neuron model: name, type, default and help."""
        return [Option(*row) for row in _core.options_of(cls._neuron)]

    def reset_parameters(self, seed: Optional[int] = None) -> None:
        """Draws the initial values anew, from ``seed`` or else from PyTorch's default generator.

        The layers of ``afterspike train --seed N`` begin with the same values.
        """
        if seed is None:
            seed = int(torch.randint(2**62, ()))
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise ValueError(f"seed: found {seed!r}, expected an integer of 0 to 2**63 - 1.")
        self._stack.initialize(seed)
        values = {row["name"]: row["tensor"] for row in self._stack.parameters()}
        with torch.no_grad():
            for name, parameter in self._tensors().items():
                parameter.copy_(values[name])

    def _full_name(self, name: str) -> str:
        return name if name.startswith("layers.") else f"layers.0.{name}"

    def physical(self, name: str) -> Tensor:
        """Returns a parameter in its unit, differentiable: ``physical("membrane_decay")``, in 1/ms.

        A name without a layer means layer 0. :meth:`describe` lists names and units.
        """
        return self._stack.physical(self._full_name(name), self._tensors())

    def set_physical(self, name: str, values: Any) -> None:
        """Sets a parameter by its values in its unit. Raises ValueError for values out of range."""
        full = self._full_name(name)
        tensors = self._tensors()
        if full in tensors:
            own = tensors[full]
            given = torch.as_tensor(values, dtype=own.dtype, device=own.device)
            values = given.expand(own.shape) if given.dim() == 0 else given
        self._stack.set_physical(full, torch.as_tensor(values), tensors)

    def describe(self) -> List[Dict[str, Any]]:
        """Returns name, symbol, unit, transform, group, shape and trainability of each parameter."""
        rows = self._stack.parameters()
        for row in rows:
            row["shape"] = tuple(row.pop("tensor").shape)
        return rows

    def initial_state(self, batch_size: int) -> State:
        """Returns the state at rest: for each layer a dictionary of tensors."""
        return self._stack.initial_state(_size("batch_size", batch_size), self._tensors())

    def forward(
        self,
        input: Tensor,
        state: Optional[State] = None,
        *,
        first: int = 0,
        mask: Optional[Union[Tensor, Sequence[Tensor]]] = None,
        sigma_mV: Optional[float] = None,
        spikes: bool = False,
        engine: str = "automatic",
    ) -> Tuple[Tensor, State]:
        """Runs sequences and returns the emissions and the state after the last step.

        Args:
            input: ``[steps, batch, input_size]``, or with ``batch_first``
                ``[batch, steps, input_size]``; type and device of the parameters.
            state: where to begin, as returned by an earlier call; None: at rest.
            first: the first step whose emissions are returned; -1: only the last step. Whoever
                reads the last step alone saves the time and memory of the others.
            mask: ``[hidden_size]`` or ``[batch, hidden_size]`` of zeros and ones: neurons with 0
                are silenced. A list has a mask for each layer.
            sigma_mV: softness of the threshold instead of the layer's own (GLIFR, ALIF).
            spikes: neurons emit spikes, with the gradient of the soft threshold (GLIFR).
            engine: "automatic", or "composed" for PyTorch's operations only, which have gradients of
                gradients.

        Returns:
            Emissions of the last layer ``[steps - first, batch, hidden_size]`` (with
            ``batch_first`` ``[batch, steps - first, hidden_size]``), and the state of each layer.
        """
        output, states = self._run(input, state, first, mask, sigma_mV, engine, spikes)
        return output, states

    def _run(
        self,
        input: Tensor,
        state: Optional[State],
        first: int,
        mask: Optional[Union[Tensor, Sequence[Tensor]]],
        sigma_mV: Optional[float],
        engine: str,
        spikes: bool = False,
    ) -> Tuple[Tensor, State]:
        tensors = self._tensors()
        one = tensors[self._names[0]]
        if not isinstance(input, Tensor):
            raise TypeError(
                f"input: found {type(input).__name__}, expected a torch.Tensor. "
                "Convert with torch.as_tensor(...)."
            )
        if torch.is_autocast_enabled() or torch.is_autocast_cpu_enabled():
            input = input.to(one.dtype)
        if input.dtype != one.dtype:
            raise TypeError(
                f"input: found {input.dtype}, expected {one.dtype} as the parameters have. "
                "Convert input.to(...) or module.to(...)."
            )
        if engine not in ("automatic", "composed"):
            raise ValueError(f"engine: found {engine!r}, expected 'automatic' or 'composed'.")
        if first < 0 and input.dim() == 3:
            first += input.shape[1 if self.batch_first else 0]
        if isinstance(mask, Tensor):
            mask = [mask] * self.num_layers
        if state is not None:
            state = self._checked_state(state)
        seed = int(torch.randint(2**62, ())) if self.training and self._has_dropout() else None
        return self._stack.run(
            input,
            state,
            tensors,
            first,
            list(mask) if mask is not None else [],
            seed,
            sigma_mV,
            bool(spikes),
            engine == "composed",
            get_num_threads(),
        )

    def _checked_state(self, state: Any) -> State:
        fine = isinstance(state, (list, tuple)) and all(isinstance(own, dict) for own in state)
        if not fine or not all(isinstance(v, Tensor) for own in state for v in own.values()):
            raise TypeError(
                "state: expected a list with a dictionary of tensors for each layer, as the layer "
                "returns it; None begins at rest."
            )
        return list(state)

    def _has_dropout(self) -> bool:
        return any(name.endswith("dropout") for name, _ in self.neuron_options)

    def save_safetensors(self, path: Union[str, os.PathLike]) -> None:
        """Writes the parameters, float32, as ``model.safetensors`` of a checkpoint has them."""
        _safetensors.write(path, self._tensors())

    def load_safetensors(self, path: Union[str, os.PathLike]) -> None:
        """Reads the parameters from a safetensors file, such as ``model.safetensors``.

        Other tensors in the file, such as ``readout.weight``, are ignored. Raises
        FileNotFoundError, or ValueError naming the first tensor that does not fit.
        """
        _safetensors.assign(path, self._tensors())

    def extra_repr(self) -> str:
        words = [f"{self.input_size}, {self.hidden_size}"]
        if self.num_layers != 1:
            words.append(f"num_layers={self.num_layers}")
        if self.batch_first:
            words.append("batch_first=True")
        if self.dt_ms != 1:
            words.append(f"dt_ms={self.dt_ms:g}")
        words += [f"{name}={value!r}" for name, value in self.neuron_options]
        return ", ".join(words)


class GLIFR(Layers):
    """Generalized leaky integrate-and-fire rate neurons with after-spike currents.

    Winston, Mastrovito, Shea-Brown, Mihalas 2023; equations in docs/numerics.md. Options by keyword
    (:meth:`options` lists all): ``delay`` of the recurrent synapses (an integer is steps; default
    1), ``after_spike_currents`` of each neuron (0 to 64; 2), ``sigma`` (softness of the threshold,
    mV; 1), ``learn`` (trained intrinsic parameters: "all", "none" or names), ``dropout``.

    Parameters of layer i: ``threshold``, ``membrane_decay`` [H], ``after_spike_decay``,
    ``after_spike_multiplicative``, ``after_spike_additive`` [J, H], ``input_weight`` [I, H] and
    ``recurrent_weight`` [H, H], mV per step.

    State of a layer: ``emitted`` [delay, batch, H] with the latest last, ``voltage`` [batch, H] in
    mV, ``after_spike_current`` [J, batch, H] in pA.
    """

    _neuron = "glifr"


class ALIF(Layers):
    """Adaptive leaky integrate-and-fire rate neurons.

    State of a layer: ``emitted`` [delay, batch, H], ``voltage`` and ``adaptation`` [batch, H].
    """

    _neuron = "alif"


class ELM(Layers):
    """An expressive leaky memory neuron (Spieler et al. 2023) whose output is its memory.

    ``hidden_size`` is the number M of memory units. Options by keyword: ``branches``,
    ``synapses_per_branch``, ``mlp_layers``, ``mlp_width``, ``memory_tau_max`` and others, see
    :meth:`options`.

    State of a layer: ``memory`` and ``emitted`` [batch, M], ``trace`` [batch, synapses or branches].
    """

    _neuron = "elm"


class ELMNetwork(Layers):
    """Recurrent layers of expressive leaky memory neurons (Spieler, Martius, Levina 2026).

    State of a layer: ``memory`` [batch, H, memory], ``emitted`` [batch, H]; ``branch`` [batch, H,
    branches] and ``low_pass`` [batch, H] if their timescales are set.
    """

    _neuron = "elm_network"


class _Units(Layers):
    """Units of machine learning, whose states are those of ``torch.nn``."""

    _parts: Tuple[str, ...] = ("emitted",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        *,
        bidirectional: bool = False,
        proj_size: int = 0,
        **settings: Any,
    ) -> None:
        if not bias or bidirectional or proj_size:
            raise ValueError(
                f"{type(self).__name__}: there are no units without biases, in two directions or with "
                "a projection. Use torch.nn for these."
            )
        super().__init__(input_size, hidden_size, num_layers, **settings)

    def forward(
        self,
        input: Tensor,
        state: Optional[Union[Tensor, Tuple[Tensor, ...]]] = None,
        *,
        first: int = 0,
        mask: Optional[Union[Tensor, Sequence[Tensor]]] = None,
        engine: str = "automatic",
    ) -> Tuple[Tensor, Any]:
        """Runs sequences from ``state``, or from rest, as the layer of ``torch.nn`` does.

        Args:
            input: ``[steps, batch, input_size]``, or with ``batch_first``
                ``[batch, steps, input_size]``.
            state: ``[num_layers, batch, hidden_size]``; of an LSTM a pair (h, c) of such tensors; of
                an RNN with a delay D above 1 ``[num_layers, D, batch, hidden_size]``.
            first, mask, engine: see :meth:`Layers.forward`.

        Returns:
            The outputs and the state after the last step.
        """
        if state is not None:
            state = self._split(input, state)
        output, after = self._run(input, state, first, mask, None, engine)
        joined = tuple(torch.stack([self._plain(own[part]) for own in after]) for part in self._parts)
        return output, joined if len(joined) > 1 else joined[0]

    @staticmethod
    def _plain(part: Tensor) -> Tensor:
        return part[0] if part.dim() == 3 and part.shape[0] == 1 else part

    def _split(self, input: Tensor, state: Any) -> State:
        given = state if isinstance(state, (list, tuple)) else (state,)
        if len(given) != len(self._parts) or not all(isinstance(own, Tensor) for own in given):
            wanted = "a pair (h, c) of tensors" if len(self._parts) > 1 else "a tensor"
            raise TypeError(f"state: found {type(state).__name__}, expected {wanted}.")
        for own in given:
            if own.dim() < 3 or own.shape[0] != self.num_layers:
                raise ValueError(
                    f"state: found the shape {list(own.shape)}, expected [{self.num_layers}, batch, "
                    f"{self.hidden_size}]."
                )
        states: State = []
        for layer in range(self.num_layers):
            own = {part: given[k][layer] for k, part in enumerate(self._parts)}
            if self._neuron == "rnn" and own["emitted"].dim() == 2:
                own["emitted"] = own["emitted"].unsqueeze(0)
            states.append(own)
        return states

    @classmethod
    def from_torch(cls, module: torch.nn.RNNBase, **options: Any) -> "_Units":
        """Returns a module with the weights of one of ``torch.nn``, which computes the same.

        Raises ValueError for bidirectional modules, projections, modules without biases or with
        dropout, and an RNN with relu.
        """
        plain = not (module.bidirectional or module.proj_size or module.dropout) and module.bias
        if module.mode not in (cls._neuron.upper(), cls._neuron.upper() + "_TANH") or not plain:
            raise ValueError(
                f"from_torch: found {module}, expected a {cls._neuron.upper()} of one direction with "
                "biases (tanh), without projection and dropout."
            )
        own = cls(module.input_size, module.hidden_size, module.num_layers,
                  batch_first=module.batch_first, dtype=module.weight_ih_l0.dtype, **options)
        with torch.no_grad():
            for i, layer in enumerate(own.layers):
                layer.input_weight.copy_(getattr(module, f"weight_ih_l{i}").T)
                layer.recurrent_weight.copy_(getattr(module, f"weight_hh_l{i}").T)
                biases = getattr(module, f"bias_ih_l{i}"), getattr(module, f"bias_hh_l{i}")
                if cls._neuron == "rnn":
                    layer.bias.copy_(biases[0] + biases[1])
                else:
                    layer.input_bias.copy_(biases[0])
                    layer.recurrent_bias.copy_(biases[1])
        return own


class RNN(_Units):
    """Vanilla recurrent units (tanh); option ``delay`` of the recurrent weights (steps; 1).

    Parameters of layer i: ``input_weight`` [I, H], ``recurrent_weight`` [H, H] and ``bias`` [H].
    ``dropout`` acts on what units emit, towards everything, unlike that of ``torch.nn.RNN``.
    """

    _neuron = "rnn"


class GRU(_Units):
    """Gated recurrent units, gates in PyTorch's order r, z, n.

    Parameters of layer i: ``input_weight`` [I, 3 H], ``recurrent_weight`` [H, 3 H], ``input_bias``
    and ``recurrent_bias`` [3 H]. ``dropout`` acts on what units emit, towards everything, unlike
    that of ``torch.nn.GRU``.
    """

    _neuron = "gru"


class LSTM(_Units):
    """Long short-term memory, gates in PyTorch's order i, f, g, o.

    Parameters of layer i: ``input_weight`` [I, 4 H], ``recurrent_weight`` [H, 4 H], ``input_bias``
    and ``recurrent_bias`` [4 H]. ``dropout`` acts on what units emit, towards everything, unlike
    that of ``torch.nn.LSTM``.
    """

    _neuron = "lstm"
    _parts = ("emitted", "cell")


class Network(Layers):
    """The network of a run: its layers and a linear readout. :func:`afterspike.load_run` makes it.

    ``state_dict()`` has the names and values of ``model.safetensors``.
    """

    _neuron = "run"

    def __init__(self, configuration: str, values: Dict[str, Tensor]) -> None:
        torch.nn.Module.__init__(self)
        self._configuration = configuration
        self.batch_first = False
        self.neuron_options: List[Tuple[str, str]] = []
        self._make_stack()
        self._register()
        self.readout = None
        if "readout.weight" in values:
            outputs, inputs = values["readout.weight"].shape
            self.readout = torch.nn.Linear(inputs, outputs)
        with torch.no_grad():
            for name, own in self.state_dict().items():
                own.copy_(values[name])

    def _make_stack(self) -> None:
        self._stack, shape = _core.stack_of_configuration(self._configuration)
        own = json.loads(self._configuration)
        self._sigma_mV: Optional[float] = own.get("evaluation.sigma_mV")
        self._spikes: bool = own.get("evaluation.spikes", False)
        self.input_size, self.hidden_size, self.num_layers, self.dt_ms, self._dropout = shape

    def _has_dropout(self) -> bool:
        return self._dropout

    def reset_parameters(self, seed: Optional[int] = None) -> None:
        """Draws the initial values of the layers anew; the readout is drawn as torch.nn.Linear."""
        super().reset_parameters(seed)
        if self.readout is not None:
            self.readout.reset_parameters()

    def forward(
        self,
        input: Tensor,
        state: Optional[State] = None,
        *,
        sigma_mV: Optional[float] = None,
        spikes: Optional[bool] = None,
        **settings: Any,
    ) -> Tuple[Tensor, State]:
        """As :meth:`Layers.forward`; the output is that of the readout, if there is one.

        ``spikes`` and ``sigma_mV`` are by default those with which the run is evaluated: after
        ``train.spikes_from`` its neurons emit spikes, after ``train.sigma_schedule`` sigma is
        ``train.sigma_final``. With other ``spikes`` sigma is by default the layer's own.
        """
        if spikes is None or bool(spikes) == self._spikes:
            spikes = self._spikes
            sigma_mV = self._sigma_mV if sigma_mV is None else sigma_mV
        output, after = super().forward(input, state, sigma_mV=sigma_mV, spikes=spikes, **settings)
        return (self.readout(output) if self.readout is not None else output), after

    def save_safetensors(self, path: Union[str, os.PathLike]) -> None:
        _safetensors.write(path, self.state_dict())

    def load_safetensors(self, path: Union[str, os.PathLike]) -> None:
        _safetensors.assign(path, self.state_dict())

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"
