"""Trains GLIFR neurons on the 1,000 digits that come with afterspike, a line of an image per step.

usage: train_glifr.py PREFIX/share/afterspike/datasets/mini
"""
import gzip
import sys
from pathlib import Path

import numpy as np
import torch

import afterspike

FOLDER = Path(sys.argv[1])


def digits(part):
    """Images as sequences [rows, images, columns], and their classes."""
    with gzip.open(FOLDER / f"{part}-images-idx3-ubyte.gz") as images, \
            gzip.open(FOLDER / f"{part}-labels-idx1-ubyte.gz") as labels:
        pixels = np.frombuffer(images.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        classes = np.frombuffer(labels.read(), np.uint8, offset=8)
    return torch.tensor(pixels / 255, dtype=torch.float32).transpose(0, 1), torch.tensor(classes, dtype=torch.long)


torch.manual_seed(1)
input, target = digits("train")
layer, readout = afterspike.nn.GLIFR(28, 64, dt_ms=0.05), torch.nn.Linear(64, 10)
optimizer = torch.optim.AdamW([*layer.parameters(), *readout.parameters()], 0.005)
for epoch in range(15):
    losses = []
    for batch in torch.randperm(len(target)).split(50):
        optimizer.zero_grad()
        output, _ = layer(input[:, batch], first=-1)
        loss = torch.nn.functional.cross_entropy(readout(output[-1]), target[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}")

input, target = digits("t10k")
with torch.no_grad():
    accuracy = (readout(layer(input)[0][-1]).argmax(1) == target).float().mean().item()
print(f"test accuracy {accuracy:.3f}")
sys.exit(accuracy <= 0.5)
