"""Trains a GLIFR layer by PyTorch's tools, and a network by the program's: train_glifr.py FOLDER"""
import sys
from pathlib import Path

import torch

import afterspike

layer, readout = afterspike.nn.GLIFR(2, 16, dt_ms=0.05), torch.nn.Linear(16, 1)
optimizer = torch.optim.AdamW([*layer.parameters(), *readout.parameters()], 0.01)
input = torch.rand(10, 64, 2)
losses = []
for _ in range(60):
    optimizer.zero_grad()
    loss = (readout(layer(input)[0][-1])[:, 0] - input[:, :, 0].mean(0)).square().mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < 0.3 * losses[0], losses

run = afterspike.train(out=Path(sys.argv[1]) / "run", epochs=1, hidden=4, max_steps=2, data_dir=sys.argv[1],
                       options={"task.dataset": "mini_mnist"})
assert run.end == "step_limit" and run.progress["step"] == 2
print("trained in", afterspike.__file__)
