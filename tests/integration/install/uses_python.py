"""Trains a network by the installed package, from the data set beside it: uses_python.py FOLDER"""
import sys
from pathlib import Path

import afterspike

run = afterspike.train(out=Path(sys.argv[1]) / "run", epochs=1, hidden=4, max_steps=2, data_dir=sys.argv[1],
                       options={"task.dataset": "mini_mnist"})
assert run.end == "step_limit" and run.progress["step"] == 2
print("trained by", afterspike.__file__)
