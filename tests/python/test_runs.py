"""Runs from Python: training, analyses and files of both sides."""
import _thread
import threading

import numpy as np
import pytest
import torch

import afterspike


def test_training_reports(run, tmp_path):
    assert run.end == "finished" and run.summary["epochs"] == 2
    assert list(run.metrics["epoch"]) == [1, 2] and run.metrics["validation_loss"].shape == (2,)
    reports = []
    afterspike.train("line_mnist", "rnn", out=tmp_path / "run", epochs=1, hidden=4, batch_size=400,
                     options={"task.dataset": "mini_mnist"}, callback=reports.append)
    assert [own["step"] for own in reports if own["event"] == "step"] == [1, 2, 3]
    assert reports[-1]["event"] == "epoch" and 0 < reports[-1]["train_accuracy"] < 1


def test_interruption_saves_and_returns(tmp_path):
    def interrupt(report):
        if report["event"] == "step" and report["step"] == 2:
            _thread.interrupt_main()

    options = {"task.dataset": "mini_mnist"}
    stopped = afterspike.train("line_mnist", "rnn", out=tmp_path / "a", epochs=1, hidden=4, options=options,
                               callback=interrupt)
    assert stopped.end == "interrupted" and stopped.progress["step"] == 3
    resumed = afterspike.train("line_mnist", "rnn", out=tmp_path / "a", resume=True)
    whole = afterspike.train("line_mnist", "rnn", out=tmp_path / "b", epochs=1, hidden=4, options=options)
    assert resumed.end == "finished"
    assert all(torch.equal(own, whole.values[name]) for name, own in resumed.values.items())


def test_errors_of_the_callback_are_raised(tmp_path):
    def fail(report):
        raise KeyError("of the callback")

    with pytest.raises(KeyError, match="of the callback"):
        afterspike.train("line_mnist", "rnn", out=tmp_path / "run", epochs=1, hidden=4, callback=fail,
                         options={"task.dataset": "mini_mnist"})
    assert afterspike.load_run(tmp_path / "run").progress["step"] == 2


def steps_read(run):
    read = run.configuration["objective.read"]
    return int(read) if read.isdigit() else 1


def test_network_of_a_run(run):
    loaded = afterspike.load_run(run.path)
    assert set(loaded.network.state_dict()) == set(loaded.values)
    images = np.random.default_rng(1).random((5, 28, 28), dtype=np.float32)
    output, _ = loaded.network(torch.from_numpy(images).transpose(0, 1))
    probability = afterspike.predict(loaded, images)
    assert probability.shape == (5, 10)
    np.testing.assert_allclose(probability.sum(1), 1)
    steps = steps_read(loaded)
    expected = torch.softmax(output[-steps:].mean(0).double(), 1).detach().numpy()
    np.testing.assert_allclose(probability, expected, rtol=1e-4)


@pytest.mark.parametrize("options", [
    {"train.sigma_schedule": "linear", "train.sigma_start": "2 mV", "train.sigma_final": "0.1 mV"},
    {"train.spikes_from": 0.5},
])
def test_network_of_a_run_whose_threshold_changed(options, tmp_path):
    trained = afterspike.train(
        "line_mnist", "glifr", out=tmp_path / "run", epochs=2, hidden=8, batch_size=200,
        options={"task.dataset": "mini_mnist", "neuron.sigma": "1 mV", **options})
    images = np.random.default_rng(1).random((5, 28, 28), dtype=np.float32)
    probability = afterspike.predict(trained, images)

    def own(**settings):
        output, _ = trained.network(torch.from_numpy(images).transpose(0, 1), **settings)
        return torch.softmax(output[-steps_read(trained):].mean(0).double(), 1).detach().numpy()

    np.testing.assert_allclose(probability, own(), rtol=1e-4)
    others = {"spikes": False} if "train.spikes_from" in options else {"sigma_mV": 1.0}
    assert np.abs(own(**others) / probability - 1).max() > 1e-3


def test_a_changed_network_is_evaluated(run, tmp_path):
    before = afterspike.evaluate(run)
    assert before["samples"] == 500 and before["loss"] == run.summary["test"]["loss"]
    changed = afterspike.load_run(run.path)
    with torch.no_grad():
        changed.network.readout.weight.zero_()
        changed.network.readout.bias.zero_()
    changed.save(tmp_path / "checkpoint")
    assert afterspike.evaluate(tmp_path / "checkpoint")["loss"] == pytest.approx(np.log(10))
    layers = afterspike.nn.GLIFR(28, 8, dt_ms=changed.network.dt_ms)
    layers.load_safetensors(tmp_path / "checkpoint" / "model.safetensors")
    assert torch.equal(layers.layers[0].threshold, changed.network.layers[0].threshold)


def test_silence_and_cluster(run):
    columns = afterspike.silence(run, [0, 1], trials=2, limit=50)
    assert list(columns["fraction"]) == [0, 0, 1, 1] and list(columns["neurons"]) == [0, 0, 8, 8]
    assert set(columns) == {"run", "fraction", "trial", "neurons", "loss", "accuracy"}
    report = afterspike.cluster(run, (2, 3), replicates=0)
    assert [row["k"] for row in report["scores"]] == [2, 3]
    assert report["neurons"]["threshold_mV"].shape == (8,)


def test_export_and_simulation(run, tmp_path):
    afterspike.export(run, out=tmp_path / "net.h5")
    network = afterspike.spiking.read(tmp_path / "net.h5")
    assert ("hidden", "glifr", 8) in network.populations


def test_threads_of_pytorch_stay(run):
    before = torch.get_num_threads()
    afterspike.evaluate(run)
    assert torch.get_num_threads() == before


def test_two_threads_evaluate(run):
    found = []
    threads = [threading.Thread(target=lambda: found.append(afterspike.evaluate(run)["loss"])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]


def test_two_commands_restore_the_threads(tmp_path):
    """The first that began ends first."""
    begun, ended = threading.Event(), threading.Event()

    def train(name, callback):
        afterspike.train("line_mnist", "rnn", out=tmp_path / name, epochs=1, hidden=4, max_steps=2,
                         options={"task.dataset": "mini_mnist"}, callback=callback)

    def second(report):
        begun.set()
        ended.wait(60)

    later = threading.Thread(target=train, args=("b", second))

    def first(report):
        if not begun.is_set():
            later.start()
            begun.wait(60)

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        train("a", first)
        assert torch.get_num_threads() == 3
        ended.set()
        later.join()
        found = []
        new = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
        new.start()
        new.join()
        assert found == [3]
    finally:
        ended.set()
        torch.set_num_threads(before)
