"""Common parts of the tests of the Python package."""
import pytest
import torch

import afterspike


@pytest.fixture(autouse=True)
def one_thread():
    """Every test begins with one thread and the same random numbers."""
    torch.manual_seed(1)
    afterspike.set_num_threads(1)
    yield
    afterspike.set_num_threads(1)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run of two epochs of a small network."""
    return afterspike.train(
        "line_mnist", "glifr", out=tmp_path_factory.mktemp("runs") / "run", epochs=2, hidden=8,
        options={"task.dataset": "mini_mnist", "task.validation": 200},
    )
