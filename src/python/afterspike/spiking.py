"""Networks of spiking neurons and their simulator.

Times are in ms, voltages in mV, currents in pA, capacitances in pF, conductances in nS. Models and
their parameters are listed in docs/models.md and by :func:`models`::

    network = Network()
    network.add_population("E", "iaf_psc_exp", 100, parameters={"C_m": 200.0})
    network.connect("E", "E", rule="fixed_indegree", count=10, weight=20.0, delay_ms=1.5)
    network.add_step_current("E", [0.0], [500.0])
    simulation = Simulation(network, seed=1)
    voltage = simulation.record("E", "V", interval_ms=0.5, neurons=[0, 1])
    simulation.run(100.0)
    simulation.spikes()["time_ms"], voltage.values
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from . import _core
from ._safetensors import existing
from ._threads import get_num_threads

__all__ = ["Network", "Recording", "Simulation", "models", "read"]

PathLike = Union[str, os.PathLike]


def models() -> Dict[str, str]:
    """Returns the models of neurons and sources, with a line on each."""
    return dict(_core.list_models())


def _numbers(name: str, values: Any, dtype: type = float) -> np.ndarray:
    try:
        array = np.atleast_1d(np.asarray(values))
    except ValueError as error:
        raise TypeError(f"{name}: expected numbers or an array of them: {error}") from None
    if array.dtype.kind not in "iuf" or array.ndim != 1 and dtype is int:
        raise TypeError(f"{name}: found an array of {array.dtype}, expected numbers.")
    if dtype is int and array.dtype.kind == "f" and array.size:
        raise TypeError(f"{name}: found an array of {array.dtype}, expected integers.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: it has values that are not finite. Look for NaN in the data.")
    return np.ascontiguousarray(array, dtype=np.int64 if dtype is int else np.float64)


class Population(NamedTuple):
    """A population as it is listed."""

    name: str
    model: str
    size: int


class Network:
    """A network of spiking neurons: populations, projections and currents."""

    def __init__(self, time_step_ms: float = 0.1) -> None:
        self._own = _core.SpikingNetwork(float(time_step_ms))

    @classmethod
    def _of(cls, own: Any) -> "Network":
        network = cls.__new__(cls)
        network._own = own
        return network

    @property
    def time_step_ms(self) -> float:
        """The step of the grid, ms."""
        return self._own.time_step_ms

    @property
    def populations(self) -> List[Population]:
        """The populations in order; the size counts copies."""
        return [Population(*row) for row in self._own.populations()]

    @property
    def projections(self) -> List[Tuple[str, str]]:
        """Source and target of each projection, in order."""
        names = [own.name for own in self.populations]
        return [(names[source], names[target]) for source, target in self._own.projections()]

    def add_population(
        self,
        name: str,
        model: str,
        size: int,
        *,
        preset: str = "",
        synapse: str = "",
        tau_syn_ms: Sequence[float] = (2.0, 2.0),
        parameters: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Adds neurons, or sources, of one model.

        Args:
            name: unique in the network.
            model: a name of :func:`models`.
            size: number of neurons.
            preset: a published parameter set of the model; empty: its defaults.
            synapse: "exponential", "alpha" or "delta" for models that leave the choice; empty: the
                model's first.
            tau_syn_ms: a time constant for each receptor of exponential or alpha synapses.
            parameters: values by name ("capacitance") or symbol ("C_m"), one for all or one for
                each neuron.
        """
        given = {key: _numbers(key, value) for key, value in (parameters or {}).items()}
        self._own.add_population(
            name, model, int(size), preset, synapse, [float(tau) for tau in tau_syn_ms], given
        )

    def set(self, population: str, **parameters: Any) -> None:
        """Sets parameters of a population: ``network.set("E", C_m=200.0)``."""
        for name, values in parameters.items():
            self._own.set(population, name, _numbers(name, values))

    def parameters(self, population: str) -> Dict[str, np.ndarray]:
        """Returns the parameters of a population: ``[size]``, or ``[currents * size]``."""
        return self._own.parameters(population)

    def connect(
        self,
        source: str,
        target: str,
        *,
        rule: str = "all_to_all",
        weight: float = 1.0,
        weight_sd: float = 0.0,
        delay_ms: float = 1.0,
        delay_sd_ms: float = 0.0,
        count: int = 0,
        probability: float = 0.0,
        receptor: int = -1,
        autapses: bool = True,
        multapses: bool = True,
        seed: int = 1,
    ) -> None:
        """Connects two populations by a rule, under the names of NEST.

        Args:
            rule: "one_to_one", "all_to_all", "fixed_indegree", "fixed_outdegree",
                "fixed_total_number" (with ``count``) or "pairwise_bernoulli" (with ``probability``).
            weight, weight_sd: pA, mV or nS by the receptor; with a standard deviation drawn from a
                normal distribution, without a change of sign.
            delay_ms, delay_sd_ms: rounded to the grid.
            receptor: its number; -1: the first for weights of 0 or above, else the second.
            seed: of random synapses and values.
        """
        self._own.connect_by_rule(
            source, target, rule, float(weight), float(weight_sd), float(delay_ms),
            float(delay_sd_ms), int(count), float(probability), int(receptor), bool(autapses),
            bool(multapses), int(seed),
        )

    def connect_arrays(
        self,
        source: str,
        target: str,
        sources: Any,
        targets: Any,
        weights: Any,
        delays_ms: Any = 1.0,
        receptor: int = 0,
    ) -> None:
        """Adds synapses from neurons ``sources[i]`` to ``targets[i]``, within their populations.

        Weights and delays are one for all, or one for each synapse.
        """
        self._own.connect_arrays(
            source, target, _numbers("sources", sources, int), _numbers("targets", targets, int),
            _numbers("weights", weights), _numbers("delays_ms", delays_ms), int(receptor),
        )

    def synapses(self, projection: int) -> Dict[str, np.ndarray]:
        """Returns columns source, target, weight and delay_ms of a projection by its number."""
        return self._own.synapses(int(projection))

    def add_step_current(
        self, population: str, times_ms: Any, amplitudes_pa: Any, neurons: Any = ()
    ) -> None:
        """Injects ``amplitudes_pa[i]`` from ``times_ms[i]`` on, into all neurons or some."""
        chosen = _numbers("neurons", neurons, int) if len(neurons) else np.empty(0, np.int64)
        self._own.add_step_current(
            population, _numbers("times_ms", times_ms), _numbers("amplitudes_pa", amplitudes_pa),
            chosen,
        )

    def add_noise_current(
        self, population: str, mean_pa: float, sd_pa: float, interval_ms: float
    ) -> None:
        """Injects a current that is drawn anew at every multiple of ``interval_ms``."""
        self._own.add_noise_current(population, float(mean_pa), float(sd_pa), float(interval_ms))

    def clear_currents(self) -> None:
        """Removes all injected currents."""
        self._own.clear_currents()

    def describe(self) -> Dict[str, Any]:
        """Returns sizes and statistics of populations and projections."""
        return json.loads(self._own.describe())

    def write(self, path: PathLike) -> None:
        """Writes the network as HDF5 (docs/network-format.md)."""
        self._own.write(os.fspath(path))

    def __repr__(self) -> str:
        listed = ", ".join(f"{own.name}: {own.size} {own.model}" for own in self.populations)
        return f"Network({listed})"


def read(path: PathLike, settings: Optional[Mapping[str, Any]] = None) -> Network:
    """Reads a network: ``net.h5``, or a description ``net.toml`` whose random numbers are drawn.

    ``settings`` replaces values of a description by their path: ``{"populations.E.size": 800}``.
    """
    text = existing(path)
    if not text.endswith(".toml"):
        if settings:
            raise ValueError(f"{text}: settings are for descriptions, NET.toml.")
        return Network._of(_core.read_network(text))
    chosen = [(key, json.dumps(value)) for key, value in (settings or {}).items()]
    return Network._of(_core.read_description(text, chosen)[0])


class Recording:
    """Samples of a variable, as long as the simulation runs."""

    def __init__(self, simulation: "Simulation", request: Tuple[Any, ...]) -> None:
        self._simulation = simulation
        self._request = request
        self._index = -1
        self._before: List[Tuple[np.ndarray, np.ndarray]] = []

    def _read(self) -> Tuple[np.ndarray, np.ndarray]:
        with self._simulation._at_work() as own:
            times, values, neurons = own.recording(self._index)
        parts = self._before + [(times, values.reshape(len(times), len(neurons)))]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([t for t, _ in parts]), np.concatenate([v for _, v in parts])

    @property
    def times_ms(self) -> np.ndarray:
        """``[samples]``"""
        return self._read()[0]

    @property
    def values(self) -> np.ndarray:
        """``[samples, neurons]``"""
        return self._read()[1]


class Simulation:
    """A network that runs.

    Args:
        network: copied; later changes of it are not seen, except through :meth:`update`.
        seed: of everything random.
        engine: "grid" (steps of dt, NEST's rules) or "exact" (event to event in closed form).
        dt_ms: step of the grid; 0: the network's.
        threads: results are the same for any number; None: :func:`afterspike.get_num_threads`.
    """

    def __init__(
        self,
        network: Network,
        *,
        seed: int,
        engine: str = "grid",
        dt_ms: float = 0.0,
        threads: Optional[int] = None,
    ) -> None:
        if not isinstance(network, Network):
            raise TypeError(f"network: found {type(network).__name__}, expected a spiking.Network.")
        if threads is not None and not 1 <= threads <= 1024:
            raise ValueError(f"threads: found {threads}, expected 1 to 1024.")
        self._settings = (int(seed), engine, float(dt_ms), threads or get_num_threads())
        self._own = _core.Simulation(network._own, *self._settings)
        self._names = [own.name for own in network.populations]
        self._recordings: List[Recording] = []
        self._inputs: Dict[str, Tuple[str, Any]] = {}
        self._spikes: List[Tuple[np.ndarray, ...]] = []
        self._counted: Dict[str, int] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()

    @contextmanager
    def _at_work(self) -> Iterator[Any]:
        if os.getpid() != self._process:
            raise RuntimeError(
                "Simulation: it was built before a fork, whose child has none of its threads. "
                "Build it in this process."
            )
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("Simulation: another thread is using it. Wait for that thread.")
        try:
            yield self._own
        finally:
            self._lock.release()

    @property
    def now_ms(self) -> float:
        """The time that was reached, ms."""
        with self._at_work() as own:
            return own.now_ms()

    def run(self, duration_ms: float) -> None:
        """Runs for a further time. Ctrl-C stops it between two pieces of about 100 ms."""
        if not duration_ms > 0:
            raise ValueError(f"duration_ms: found {duration_ms}, expected more than 0.")
        with self._at_work() as own:
            own.run_until(own.now_ms() + float(duration_ms), 100.0, self._settings[2])

    def record(
        self, population: str, variable: str, *, interval_ms: float, neurons: Any = ()
    ) -> Recording:
        """Records a variable ("V", "w" ...) of a population, or some of its neurons, from now on."""
        chosen = [int(n) for n in _numbers("neurons", neurons, int)] if len(neurons) else []
        recording = Recording(self, (population, variable, float(interval_ms), chosen))
        with self._at_work() as own:
            recording._index = own.record(*recording._request)
        self._recordings.append(recording)
        return recording

    def spikes(self) -> Dict[str, np.ndarray]:
        """Returns all spikes: columns time_ms, population (its number) and neuron, by time."""
        with self._at_work() as own:
            parts = self._spikes + [own.spikes()]
        columns = [np.concatenate(column) if len(parts) > 1 else column[0] for column in zip(*parts)]
        return dict(zip(("time_ms", "population", "neuron"), columns))

    def spike_times(self, population: str) -> Tuple[np.ndarray, np.ndarray]:
        """Returns times (ms) and neurons of a population's spikes."""
        spikes = self.spikes()
        chosen = spikes["population"] == self._index_of(population)
        return spikes["time_ms"][chosen], spikes["neuron"][chosen]

    def _index_of(self, population: str) -> int:
        if population not in self._names:
            raise ValueError(
                f"there is no population {population!r}; there are: {', '.join(self._names)}."
            )
        return self._names.index(population)

    def clear_spikes(self) -> None:
        """Forgets the spikes so far."""
        with self._at_work() as own:
            self._spikes = []
            own.clear_spikes()

    def set_trains(self, population: str, trains: Sequence[Any]) -> None:
        """Sets the spikes of a spike_source: an ascending array of times (ms) for each neuron."""
        given = [_numbers("trains", own) if len(own) else np.empty(0) for own in trains]
        with self._at_work() as own:
            own.set_trains(population, given)
            self._inputs[population] = ("set_trains", given)

    def set_signal(self, population: str, values: Any) -> None:
        """Sets the values of an analog_source, ``[steps, size]``."""
        given = _numbers("values", values)
        with self._at_work() as own:
            own.set_signal(population, given)
            self._inputs[population] = ("set_signal", given)

    def update(self, network: Network) -> None:
        """Continues with changed parameters, weights or currents of the same populations.

        State, time and recordings are kept. Raises ValueError if the state does not fit the network.
        """
        with self._at_work() as own:
            changed = own.changed(network._own, *self._settings)
            for population, (setter, given) in self._inputs.items():
                getattr(changed, setter)(population, given)
            indices = [changed.record(*recording._request) for recording in self._recordings]
            for recording, index in zip(self._recordings, indices):
                times, values, neurons = own.recording(recording._index)
                recording._before.append((times, values.reshape(len(times), len(neurons))))
                recording._index = index
            self._spikes.append(own.spikes())
            self._counted = self._all_counted(own)
            changed.clear_spikes()
            self._own = changed

    def reset(self, seed: Optional[int] = None) -> None:
        """Returns to time 0 and the initial state; recordings and spikes are emptied."""
        with self._at_work() as own:
            if seed is None:
                own.reset()
            else:
                own.reset(int(seed))
                self._settings = (int(seed), *self._settings[1:])
            self._forget()

    def _forget(self) -> None:
        """Drops what was kept of the simulations before each update()."""
        self._spikes = []
        self._counted = {}
        for recording in self._recordings:
            recording._before = []

    def _all_counted(self, own: Any) -> Dict[str, int]:
        return {name: count + self._counted.get(name, 0) for name, count in own.statistics().items()}

    def statistics(self) -> Dict[str, int]:
        """Returns counts of spikes, synaptic events and steps of neurons."""
        with self._at_work() as own:
            return self._all_counted(own)

    def save(self, path: PathLike) -> None:
        """Writes the state of the simulation; :meth:`load` continues from it."""
        with self._at_work() as own:
            own.write_state(os.fspath(path))

    def load(self, path: PathLike) -> None:
        """Continues from a state of the same network."""
        with self._at_work() as own:
            own.read_state(existing(path))
            self._forget()
