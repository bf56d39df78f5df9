"""The number of threads that share a batch."""

from . import _core

_threads = 1


def set_num_threads(count: int) -> None:
    """Sets the threads among which layers and commands share a batch; 1 at first.

    Results do not depend on it. PyTorch's own threads (``torch.set_num_threads``) are another
    setting: these kernels do not use them.
    """
    global _threads
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"set_num_threads: found {count!r}, expected an integer.")
    if not 1 <= count <= 1024:
        raise ValueError(f"set_num_threads: found {count}, expected 1 to 1024.")
    _core.check_threads(count)
    _threads = count


def get_num_threads() -> int:
    """Returns the threads among which layers and commands share a batch."""
    return _threads
