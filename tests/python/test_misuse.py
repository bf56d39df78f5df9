"""Thirty misuses and more: each raises an exception that says what to do, and none ends the process."""
import os
import threading

import numpy as np
import pytest
import torch

import afterspike
from afterspike import spiking
from afterspike.nn import ALIF, ELM, GLIFR, GRU, LSTM

LAYER = GLIFR(3, 4)
INPUT = torch.zeros(5, 2, 3)


def network():
    own = spiking.Network()
    own.add_population("E", "iaf_psc_exp", 3)
    return own


def simulation():
    return spiking.Simulation(network(), seed=1)


MISUSES = [
    (ValueError, "unsqueeze", lambda: LAYER(INPUT[:, 0])),
    (ValueError, r"\[5, 2, 7\]", lambda: LAYER(torch.zeros(5, 2, 7))),
    (ValueError, "at least one step", lambda: LAYER(INPUT[:0])),
    (ValueError, "at least one step", lambda: LAYER(INPUT[:, :0])),
    (TypeError, "torch.float64", lambda: LAYER(INPUT.double())),
    (TypeError, "torch.int64", lambda: LAYER(INPUT.long())),
    (TypeError, "torch.Tensor", lambda: LAYER(INPUT.numpy())),
    (TypeError, "torch.Tensor", lambda: LAYER(None)),
    (ValueError, "meta", lambda: LAYER(INPUT.to("meta"))),
    (ValueError, "NaN", lambda: LAYER(torch.full((5, 2, 3), float("nan")))),
    (ValueError, "NaN", lambda: LAYER(torch.full((5, 2, 3), float("inf")))),
    (ValueError, "sparse", lambda: LAYER(INPUT.to_sparse())),
    (ValueError, "emit no spikes", lambda: ALIF(3, 4)(INPUT, spikes=True)),
    (ValueError, "after_spike_current", lambda: LAYER(INPUT, [{"emitted": torch.zeros(1, 2, 4)}])),
    (ValueError, r"\[2, 3, 4\]", lambda: LAYER(INPUT, LAYER.initial_state(3))),
    (ValueError, "2 layers", lambda: LAYER(INPUT, LAYER.initial_state(2) * 2)),
    (TypeError, "dictionary", lambda: LAYER(INPUT, torch.zeros(1, 2, 4))),
    (TypeError, "pair", lambda: LSTM(3, 4)(INPUT, torch.zeros(1, 2, 4))),
    (ValueError, r"\[2, 2, 4\]", lambda: GRU(3, 4)(INPUT, torch.zeros(2, 2, 4))),
    (ValueError, "mask", lambda: LAYER(INPUT, mask=torch.ones(5))),
    (ValueError, "first", lambda: LAYER(INPUT, first=5)),
    (ValueError, "composed", lambda: LAYER(INPUT, engine="fast")),
    (TypeError, "sigma", lambda: GLIFR(3, 4, sigm=1.0)),
    (ValueError, "sigma", lambda: GLIFR(3, 4, sigma=-1.0)),
    (ValueError, "delay", lambda: GLIFR(3, 4, delay="3")),
    (ValueError, "hidden_size", lambda: ELM(3, 0)),
    (TypeError, "input_size", lambda: ELM("3", 4)),
    (ValueError, "synapses", lambda: ELM(3, 4, branches=2)),
    (ValueError, "seed", lambda: GLIFR(3, 4, seed=-1)),
    (ValueError, "membrane_decay", lambda: LAYER.physical("membrane_decy")),
    (ValueError, "membrane_decay", lambda: LAYER.set_physical("membrane_decay", 5.0)),
    (FileNotFoundError, "no such file", lambda: LAYER.load_safetensors("missing.safetensors")),
    (ValueError, "two directions", lambda: GRU(3, 4, bidirectional=True)),
    (TypeError, "positional", lambda: GLIFR(3, 4, 1, True)),
    (ValueError, "one direction", lambda: LSTM.from_torch(torch.nn.LSTM(3, 4, bidirectional=True))),
    (ValueError, "expected 1 to", lambda: afterspike.set_num_threads(0)),
    (FileNotFoundError, "no such file", lambda: afterspike.load_run("missing")),
    (FileNotFoundError, "no such file", lambda: afterspike.evaluate("missing")),
    (TypeError, "load_run", lambda: afterspike.evaluate(3)),
    (ValueError, "line_mnist", lambda: afterspike.train("line_mnis", out="never")),
    (TypeError, "epochs", lambda: afterspike.train(out="never", epoch=3)),
    (ValueError, "network.hidden", lambda: afterspike.train(out="never", options={"network.hiden": 3})),
    (FileExistsError, "new name", lambda: afterspike.train(out=os.curdir)),
    (ValueError, "found none", lambda: afterspike.cluster([])),
    (ValueError, "iaf_psc_exp", lambda: network().add_population("I", "iaf_psc_ex", 3)),
    (ValueError, "C_m", lambda: network().set("E", Cm=1.0)),
    (ValueError, "1 or 3", lambda: network().set("E", C_m=[1.0, 2.0])),
    (ValueError, "NaN", lambda: network().set("E", C_m=float("nan"))),
    (ValueError, "capacitance", lambda: network().set("E", C_m=-1.0)),
    (ValueError, "there are: E", lambda: network().connect("E", "I")),
    (ValueError, "less than 3", lambda: network().connect_arrays("E", "E", [7], [0], 1.0)),
    (TypeError, "integers", lambda: network().connect_arrays("E", "E", [0.5], [0], 1.0)),
    (ValueError, "grid or exact", lambda: spiking.Simulation(network(), seed=1, engine="fast")),
    (ValueError, "more than 0", lambda: simulation().run(-5.0)),
    (ValueError, "V", lambda: simulation().record("E", "W", interval_ms=1.0)),
    (FileNotFoundError, "no such file", lambda: spiking.read("missing.h5")),
]


@pytest.mark.parametrize("number", range(len(MISUSES)))
def test_misuse(number):
    kind, words, action = MISUSES[number]
    with pytest.raises(kind, match=words):
        action()


def test_a_closed_run(run):
    with afterspike.load_run(run.path) as loaded:
        pass
    for use in (lambda: loaded.network, lambda: loaded.metrics, lambda: afterspike.evaluate(loaded)):
        with pytest.raises(ValueError, match="load_run"):
            use()


def test_wrong_data_of_a_run(run):
    for inputs, words in ((np.zeros((2, 28, 5)), "28"), (np.zeros((28, 28)), "samples"),
                          (np.full((1, 28, 28), np.nan), "NaN"), (np.zeros((0, 28, 28)), "at least")):
        with pytest.raises(ValueError, match=words):
            afterspike.predict(run, inputs)
    with pytest.raises(ValueError, match="split"):
        afterspike.evaluate(run, "tests")


def test_a_parameter_changed_between_forward_and_backward():
    output, _ = LAYER(INPUT)
    with torch.no_grad():
        LAYER.layers[0].threshold.add_(0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


def test_two_threads_use_one_module():
    layer, input = GLIFR(3, 16), torch.randn(40, 64, 3)
    expected = layer(input)[0]
    found = []

    def work():
        for _ in range(5):
            output, _ = layer(input)
            output.sum().backward()
            found.append(torch.equal(output, expected))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 15


def test_two_threads_use_one_simulation():
    own, errors = simulation(), []

    def work():
        try:
            own.run(300.0)
        except RuntimeError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("another thread" in error for error in errors)
    assert own.now_ms == 300.0 * (4 - len(errors))


def test_a_fork_after_use():
    afterspike.set_num_threads(2)
    layer, input = GLIFR(3, 16), torch.randn(20, 80, 3)
    expected, own = layer(input)[0], simulation()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            same = torch.equal(layer(input)[0], expected)
            try:
                own.run(1.0)
            except RuntimeError as error:
                status = 0 if same and "fork" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
