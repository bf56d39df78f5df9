"""Layers as modules of PyTorch: values, gradients, copies and files."""
import copy
import io
import pickle
import threading

import pytest
import torch
from eager import glifr

import afterspike
from afterspike.nn import ALIF, ELM, GLIFR, GRU, LSTM, RNN, ELMNetwork

CURRENTS = {"after_spike_additive": "uniform(-500, 500)"}
CASES = {
    "glifr": (GLIFR, CURRENTS, {}),
    "glifr_delay": (GLIFR, {"delay": 3, **CURRENTS}, {}),
    "glifr_no_currents": (GLIFR, {"after_spike_currents": 0}, {}),
    "glifr_one_current": (GLIFR, {"after_spike_currents": 1, **CURRENTS}, {}),
    "glifr_three_currents": (GLIFR, {"after_spike_currents": 3, **CURRENTS}, {}),
    "glifr_layers": (GLIFR, {"num_layers": 2, **CURRENTS}, {}),
    "glifr_batch_first": (GLIFR, {"batch_first": True, **CURRENTS}, {}),
    "glifr_mask": (GLIFR, CURRENTS, {"mask": torch.tensor([1.0, 0.0, 1.0])}),
    "alif": (ALIF, {}, {}),
    "elm": (ELM, {}, {}),
    "elm_learned": (ELM, {"learn": "all"}, {}),
    "elm_network": (ELMNetwork, {"memory": 2}, {}),
    "rnn": (RNN, {"delay": 2}, {}),
    "gru": (GRU, {"num_layers": 2}, {}),
    "lstm": (LSTM, {}, {}),
}


def tensors_of(result):
    """All tensors of a nested result."""
    if isinstance(result, torch.Tensor):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [tensor for part in parts for tensor in tensors_of(part)]


def check(layer, input, **settings):
    """gradcheck of emissions and states by input and trained parameters."""
    names = [name for name, own in layer.named_parameters() if own.requires_grad]
    leaves = [own for own in layer.parameters() if own.requires_grad]

    def function(given, *values):
        from torch.nn.utils.stateless import functional_call

        result = functional_call(layer, dict(zip(names, values)), (given,), settings)
        return tuple(tensors_of(result))

    return torch.autograd.gradcheck(function, (input, *leaves), fast_mode=True, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_gradcheck(name):
    kind, options, settings = CASES[name]
    layer = kind(2, 3, dtype=torch.float64, seed=3, **options)
    assert check(layer, torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True), **settings)


@pytest.mark.parametrize("steps, batch", [(1, 1), (1, 3), (4, 1)])
def test_gradcheck_of_one_step_and_one_sequence(steps, batch):
    layer = GLIFR(2, 3, dtype=torch.float64, seed=3, **CURRENTS)
    assert check(layer, torch.randn(steps, batch, 2, dtype=torch.float64, requires_grad=True))


def test_gradcheck_in_full_and_of_an_input_without_gradient():
    layer = LSTM(2, 2, dtype=torch.float64)
    input = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer(x)[0], (input,))
    output, _ = layer(input.detach())
    output.sum().backward()
    assert input.grad is None and layer.layers[0].input_weight.grad is not None


def test_input_that_is_not_contiguous():
    layer = GLIFR(3, 4)
    input = torch.randn(5, 2, 3).transpose(0, 2).contiguous().transpose(0, 2)
    assert not input.is_contiguous()
    assert torch.equal(layer(input)[0], layer(input.contiguous())[0])


@pytest.mark.parametrize("delay", [1, 3])
def test_glifr_equals_plain_pytorch(delay):
    layer = GLIFR(3, 5, delay=delay, dtype=torch.float64, seed=2, **CURRENTS)
    input = torch.randn(7, 4, 3, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(7, 4, 5, dtype=torch.float64)
    leaves = [input, *layer.parameters()]
    found, expected = layer(input)[0], glifr(layer, input, delay=delay)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)
    for own, other in zip(torch.autograd.grad((found * weights).sum(), leaves),
                          torch.autograd.grad((expected * weights).sum(), leaves)):
        torch.testing.assert_close(own, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind, reference", [(RNN, torch.nn.RNN), (GRU, torch.nn.GRU), (LSTM, torch.nn.LSTM)])
def test_units_equal_those_of_torch(kind, reference):
    theirs = reference(3, 4, 2).double()
    ours = kind.from_torch(theirs)
    input = torch.randn(6, 5, 3, dtype=torch.float64, requires_grad=True)
    found, expected = tensors_of(ours(input)), tensors_of(theirs(input))
    for own, other in zip(found, expected):
        torch.testing.assert_close(own, other)
    by_ours, = torch.autograd.grad(sum(t.sum() for t in found), input)
    by_theirs, = torch.autograd.grad(sum(t.sum() for t in expected), input)
    torch.testing.assert_close(by_ours, by_theirs)
    state = tuple(torch.randn_like(t) for t in expected[1:])
    state = state if len(state) > 1 else state[0]
    torch.testing.assert_close(ours(input, state)[0], theirs(input, state)[0])


@pytest.mark.parametrize("name", CASES)
def test_states_continue_a_sequence(name):
    kind, options, settings = CASES[name]
    layer = kind(2, 3, dtype=torch.float64, **options)
    input = torch.randn(6, 6, 2, dtype=torch.float64)
    time = 1 if layer.batch_first else 0
    whole, end = layer(input, **settings)
    first, state = layer(input.narrow(time, 0, 2), **settings)
    second, after = layer(input.narrow(time, 2, 4), state, **settings)
    torch.testing.assert_close(torch.cat([first, second], time), whole)
    for own, other in zip(tensors_of(after), tensors_of(end)):
        torch.testing.assert_close(own, other)


def test_float32_and_last_step():
    layer = GLIFR(3, 4, batch_first=True)
    input = torch.randn(70, 5, 3)
    whole, _ = layer(input)
    assert whole.shape == (70, 5, 4) and whole.dtype == torch.float32
    assert torch.equal(layer(input, first=-1)[0], whole[:, -1:])


def test_parameters_of_the_stack_are_read_beside_a_pass():
    layer = GLIFR(4, 32, seed=1)
    initial = layer.layers[0].input_weight.detach().clone()
    with torch.no_grad():
        layer.layers[0].input_weight.fill_(7.0)
    done = threading.Event()

    def run():
        with torch.no_grad():
            while not done.is_set():
                layer(torch.ones(200, 8, 4))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        for _ in range(300):
            rows = {row["name"]: row["tensor"] for row in layer._stack.parameters()}
            assert torch.equal(rows["layers.0.input_weight"], initial)
    finally:
        done.set()
        thread.join()


def test_threads_give_the_same_bits():
    layer = GLIFR(3, 16, num_layers=2, dropout=0.2)
    input = torch.randn(9, 100, 3)

    def gradient(threads):
        afterspike.set_num_threads(threads)
        torch.manual_seed(5)
        return torch.autograd.grad(layer(input)[0].square().sum(), list(layer.parameters()))

    assert all(torch.equal(a, b) for a, b in zip(gradient(1), gradient(3)))


def test_dropout_acts_while_training_only():
    layer = GRU(3, 4, dropout=0.5)
    input = torch.randn(5, 2, 3)
    assert not torch.equal(layer(input)[0], layer(input)[0])
    layer.eval()
    assert torch.equal(layer(input)[0], layer(input)[0])


def test_no_grad_and_inference_keep_no_graph():
    layer, input = GLIFR(3, 4), torch.randn(5, 2, 3)
    expected = layer(input)[0]
    with torch.no_grad():
        output = layer(input)[0]
    assert not output.requires_grad and torch.equal(output, expected)
    with torch.inference_mode():
        assert torch.equal(layer(input)[0], expected)


def test_second_backward():
    layer, input = GLIFR(3, 4), torch.randn(5, 2, 3, requires_grad=True)
    loss = layer(input)[0].sum()
    first, = torch.autograd.grad(loss, input, retain_graph=True)
    second, = torch.autograd.grad(loss, input)
    assert torch.equal(first, second)
    with pytest.raises(RuntimeError, match="a second time"):
        torch.autograd.grad(loss, input)
    with pytest.raises(RuntimeError, match="gradients of gradients"):
        torch.autograd.grad(layer(input)[0].sum(), input, create_graph=True)
    composed, = torch.autograd.grad(layer(input, engine="composed")[0].sum(), input, create_graph=True)
    assert composed.requires_grad


def test_copies_are_independent():
    layer = GLIFR(3, 4, delay=2, num_layers=2)
    input = torch.randn(5, 2, 3)
    expected = layer(input)[0]
    stream = io.BytesIO()
    torch.save(layer, stream)
    stream.seek(0)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), torch.load(stream)):
        assert torch.equal(other(input)[0], expected)
        with torch.no_grad():
            for own in other.parameters():
                own.add_(1)
        assert torch.equal(layer(input)[0], expected)


def test_state_dict_and_safetensors(tmp_path):
    layer, other = LSTM(3, 4, seed=1), LSTM(3, 4, seed=2)
    assert list(layer.state_dict())[0] == "layers.0.input_weight"
    layer.save_safetensors(tmp_path / "model.safetensors")
    other.load_safetensors(tmp_path / "model.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(layer.parameters(), other.parameters()))


def test_physical_values():
    layer = GLIFR(3, 4)
    decay = layer.physical("membrane_decay")
    torch.testing.assert_close(decay, torch.full((4,), 0.05))
    decay.sum().backward()
    assert layer.layers[0].membrane_decay.grad.abs().min() > 0
    layer.set_physical("membrane_decay", 0.2)
    torch.testing.assert_close(layer.physical("layers.0.membrane_decay"), torch.full((4,), 0.2))
    assert {row["unit"] for row in layer.describe()} >= {"mV", "1/ms", "pA", "mV/step"}


def test_parametrised_weights_are_seen():
    layer, input = RNN(3, 4), torch.randn(5, 2, 3)
    torch.nn.utils.parametrizations.spectral_norm(layer.layers[0], "recurrent_weight")
    layer(input)[0].sum().backward()
    assert layer.layers[0].parametrizations.recurrent_weight.original.grad is not None


def test_options_are_those_of_the_program():
    assert any(own.name == "sigma" and own.type == "a quantity in mV" for own in GLIFR.options())
    layer = GLIFR(3, 4, sigma=0.5, delay=2, learn="none")
    assert dict(layer.neuron_options) == {"sigma": "0.5 mV", "delay": "2 steps", "learn": "none"}
    assert "delay='2 steps'" in repr(layer)


def test_learning():
    layer, readout = ELMNetwork(2, 8, memory=2), torch.nn.Linear(8, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *readout.parameters()], 0.02)
    input = torch.rand(8, 64, 2)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (readout(layer(input)[0][-1])[:, 0] - input[7, :, 0]).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
