"""Reading and writing of safetensors files by PyTorch tensors."""

import errno
import os

import torch

from . import _core


def existing(path) -> str:
    """Returns the path of an existing file or directory as text, or raises FileNotFoundError."""
    text = os.fspath(path)
    if not os.path.exists(text):
        raise FileNotFoundError(errno.ENOENT, "no such file or directory", text)
    return text


def write(path, tensors) -> None:
    _core.write_safetensors(os.fspath(path), {name: own.detach() for name, own in tensors.items()})


def assign(path, tensors) -> None:
    """Copies tensors from a file; nothing if one of them is missing or of another shape."""
    text = existing(path)
    if os.path.isdir(text):
        raise IsADirectoryError(errno.EISDIR, "expected a safetensors file", text)
    found = _core.read_safetensors(text)
    for name, own in tensors.items():
        if name not in found:
            raise ValueError(
                f"{text}: there is no tensor '{name}'. Build the module with the neurons, sizes and "
                "layers of the file."
            )
        if found[name].shape != own.shape:
            raise ValueError(
                f"{text}: tensor '{name}': found the shape {list(found[name].shape)}, expected "
                f"{list(own.shape)}."
            )
    with torch.no_grad():
        for name, own in tensors.items():
            own.copy_(found[name])
