"""The reader printed in docs/checkpoint-format.md returns the program's values."""
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop(1)
ROOT = Path(__file__).parents[2]

try:
    import numpy as np
except ImportError:
    np = None

# Every transform is in one of these.
NETWORKS = {
    "glifr": [],
    "glifr with steady amplitudes": ["--set", "neuron.amplitude=steady"],
    "glif": [],
    "elm": ["--set", "neuron.learn=all"],
}


def reader():
    """The code below "Reading weights in Python"."""
    text = (ROOT / "docs" / "checkpoint-format.md").read_text()
    section = text.split("### Reading weights in Python\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL))


def forms():
    """Patterns of all texts that Transform::text() may return."""
    source = (ROOT / "src" / "nn" / "transform.cpp").read_text()
    body = source.split("std::string Transform::text() const {")[1].split("\n}\n")[0]
    return [re.escape(form).replace(r"\{\}", r"[^ ,()]+") for form in re.findall(r'"(.*?)"', body)]


def run(*words):
    return subprocess.run([PROGRAM, *words], check=True, capture_output=True, text=True).stdout


@unittest.skipIf(np is None, "NumPy is not installed")
class CheckpointReader(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.about = {}
        for name, settings in NETWORKS.items():
            out = str(Path(cls.folder.name) / name)
            run("train", "--task", "sine_generation", "--neuron", name.split()[0], "--hidden", "5",
                "--set", "task.duration=1 ms", "--epochs", "3", "--learning-rate", "0.1", "--threads", "1",
                "--quiet", *settings, "--out", out)
            cls.about[name] = json.loads(run("info", out, "--json"))

    def test_gives_the_values_of_info(self):
        for name, about in self.about.items():
            names = {"checkpoint": about["checkpoint"]}
            exec(reader(), names)
            for parameter in about["parameters"]:
                with self.subTest(network=name, parameter=parameter["name"]):
                    values = np.asarray(names["physical"](parameter["name"]), np.float64)
                    self.assertEqual(list(values.shape), parameter["shape"])
                    expected = parameter["values"]
                    # A value near 0 is the difference of bounds that single precision rounds.
                    allowed = 1e-6 * max(1, abs(expected["min"]), abs(expected["max"]))
                    below = re.fullmatch(r"below\((.*), .*\)", parameter["transform"])
                    if below:  # Its bounds are far from 0.
                        allowed = max(allowed, 1e-7 * abs(float(below.group(1))))
                    for statistic in ("mean", "min", "max"):
                        found = getattr(values, statistic)()
                        self.assertAlmostEqual(found, expected[statistic], delta=allowed, msg=statistic)

    def test_knows_every_transform(self):
        found = {parameter["transform"] for about in self.about.values() for parameter in about["parameters"]}
        self.assertGreater(len(forms()), 6)
        for form in forms():
            self.assertTrue(any(re.fullmatch(form, text) for text in found), form)


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # Python closes what the reader leaves open.
