"""Spiking networks from Python."""
import threading

import numpy as np
import pytest

from afterspike import spiking


def small(**parameters):
    network = spiking.Network()
    network.add_population("E", "iaf_psc_exp", 5, parameters={"C_m": 200.0, **parameters})
    network.connect_arrays("E", "E", [0, 1], [1, 2], [50.0, 60.0], 1.5)
    network.add_step_current("E", [0.0], [600.0], neurons=[0])
    return network


def test_building():
    network = small()
    network.connect("E", "E", rule="fixed_indegree", count=2, weight=10.0, autapses=False, seed=3)
    assert network.populations == [("E", "iaf_psc_exp", 5)]
    synapses = network.synapses(0)
    assert list(synapses["source"]) == [0, 1] and list(synapses["weight"]) == [50.0, 60.0]
    drawn = network.synapses(1)
    assert np.bincount(drawn["target"]).tolist() == [2] * 5 and (drawn["source"] != drawn["target"]).all()
    assert network.parameters("E")["capacitance"].tolist() == [200.0] * 5
    assert network.describe()["synapses"] == 12


def test_runs_continue_and_repeat():
    one, two = spiking.Simulation(small(), seed=1), spiking.Simulation(small(), seed=1)
    voltages = [own.record("E", "V", interval_ms=0.5, neurons=[0, 1]) for own in (one, two)]
    one.run(100.0)
    for _ in range(4):
        two.run(25.0)
    assert one.now_ms == two.now_ms == 100.0
    assert len(one.spikes()["time_ms"]) > 0
    for name, column in one.spikes().items():
        assert np.array_equal(column, two.spikes()[name]), name
    assert voltages[0].values.shape == (200, 2)
    assert np.array_equal(voltages[0].values, voltages[1].values)
    times, neurons = one.spike_times("E")
    assert set(neurons) == {0} and (np.diff(times) > 0).all()


def test_currents_and_parameters_change_between_runs():
    network = small()
    simulation = spiking.Simulation(network, seed=1)
    voltage = simulation.record("E", "V", interval_ms=1.0, neurons=[0])
    simulation.run(100.0)
    count = len(simulation.spikes()["time_ms"])
    network.clear_currents()
    simulation.update(network)
    simulation.run(100.0)
    assert len(simulation.spikes()["time_ms"]) == count and simulation.now_ms == 200.0
    assert voltage.times_ms.tolist() == list(range(1, 201))
    network.add_step_current("E", [200.0], [600.0])
    simulation.update(network)
    simulation.run(100.0)
    assert len(simulation.spikes()["time_ms"]) > 3 * count


def test_sources_and_states(tmp_path):
    network = small()
    network.add_population("in", "spike_source", 2)
    network.connect("in", "E", rule="all_to_all", weight=900.0)
    simulation = spiking.Simulation(network, seed=1)
    simulation.set_trains("in", [[5.0, 10.0], []])
    simulation.run(20.0)
    simulation.save(tmp_path / "state.h5")
    simulation.run(20.0)
    other = spiking.Simulation(network, seed=1)
    other.set_trains("in", [[5.0, 10.0], []])
    other.load(tmp_path / "state.h5")
    other.run(20.0)
    assert other.now_ms == 40.0
    late = simulation.spikes()["time_ms"]
    assert np.array_equal(other.spikes()["time_ms"], late[late > 20.0])
    assert simulation.statistics()["source_events"] > 0


@pytest.mark.parametrize("time_step_ms, dt_ms", [(0.3, 0.0), (0.1, 0.3)])
def test_long_runs_on_a_grid_that_does_not_divide_100_ms(time_step_ms, dt_ms):
    network = spiking.Network(time_step_ms)
    network.add_population("E", "iaf_psc_exp", 1)
    simulation = spiking.Simulation(network, seed=1, dt_ms=dt_ms)
    simulation.run(300.0)
    assert simulation.now_ms == pytest.approx(300.0, abs=1e-9)
    assert simulation.statistics()["neuron_steps"] == 1000


def noisy():
    network = spiking.Network()
    network.add_population("E", "iaf_psc_exp", 3)
    network.add_noise_current("E", 400.0, 200.0, 1.0)
    return network


def test_update_after_a_reset_keeps_its_seed():
    changed, fresh = spiking.Simulation(noisy(), seed=1), spiking.Simulation(noisy(), seed=5)
    changed.reset(5)
    for simulation in (changed, fresh):
        simulation.run(50.0)
        simulation.update(noisy())
        simulation.run(100.0)
    assert len(fresh.spikes()["time_ms"]) > 0
    for name, column in fresh.spikes().items():
        assert np.array_equal(column, changed.spikes()[name]), name


def test_counts_span_updates_and_end_with_a_state(tmp_path):
    network = small()
    simulation, whole = spiking.Simulation(network, seed=1), spiking.Simulation(network, seed=1)
    voltage = simulation.record("E", "V", interval_ms=1.0, neurons=[0])
    simulation.run(50.0)
    simulation.save(tmp_path / "state.h5")
    simulation.update(network)
    simulation.run(50.0)
    whole.run(100.0)
    assert simulation.statistics() == whole.statistics() and whole.statistics()["spikes"] > 0
    simulation.load(tmp_path / "state.h5")
    assert len(simulation.spikes()["time_ms"]) == 0 and len(voltage.times_ms) == 0
    simulation.run(50.0)
    late = whole.spikes()["time_ms"]
    assert np.array_equal(simulation.spikes()["time_ms"], late[late > 50.0])
    assert voltage.times_ms.tolist() == list(range(51, 101))
    assert simulation.statistics()["neuron_steps"] == whole.statistics()["neuron_steps"] / 2


def test_a_network_changes_while_it_is_copied():
    network, done = small(), threading.Event()
    times = np.arange(1.0, 5001.0)

    def change():
        while not done.is_set():
            network.clear_currents()
            for _ in range(20):
                network.add_step_current("E", times, times)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        built = [spiking.Simulation(network, seed=1) for _ in range(100)]
    finally:
        done.set()
        thread.join()
    built[-1].run(1.0)
    assert built[-1].now_ms == 1.0


def test_files(tmp_path):
    network = small()
    network.write(tmp_path / "net.h5")
    assert spiking.read(tmp_path / "net.h5").populations == network.populations
    (tmp_path / "net.toml").write_text('[populations.E]\nmodel = "iaf_psc_exp"\nsize = 3\n')
    assert spiking.read(tmp_path / "net.toml", {"populations.E.size": 4}).populations[0].size == 4
    assert "iaf_psc_exp" in spiking.models()
