"""scripts/convert_neuronio.py: a small pickle of the published form becomes the documented HDF5 file."""
import gzip
import importlib.util
import os
import pickle
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

SCRIPT = Path(__file__).parents[2] / "scripts" / "convert_neuronio.py"

try:
    import h5py
    import numpy as np
except ImportError:
    h5py = None


def simulation(ex, inh, output, soma):
    """Times as the published files have them: lists, and arrays."""
    return {"exInputSpikeTimes": ex, "inhInputSpikeTimes": inh, "outputSpikeTimes": np.array(output),
            "somaVoltageLowRes": np.array(soma, np.float16), "nexusVoltageLowRes": None}


def experiment():
    return {
        "Params": {"allSegmentsType": ["basal", "apical", "apical"], "totalSimDurationInSec": 0.005},
        "Results": {"listOfSingleSimulationDicts": [
            simulation({0: [4, 1], 2: np.array([1, 1])}, {1: [0]}, [2.5], [-70, -69, -40, -68, -67]),
            simulation({}, {0: [3]}, [], [-70, -70, -70, -70, -71]),
        ]},
    }


def script_as_module():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("convert_neuronio", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Program:
    """An object that no data contain."""

    def __reduce__(self):
        return os.system, ("true",)


@unittest.skipIf(h5py is None, "h5py is not installed")
class ConvertNeuronIo(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name) / "out"

    def write(self, content, name="sim__1.p", protocol=2, opener=open):
        path = Path(self.folder.name) / name
        with opener(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else pickle.dumps(content, protocol))
        return path

    def convert(self, content, name="sim__1.p", opener=open):
        path = self.write(content, name, opener=opener)
        return subprocess.run([sys.executable, SCRIPT, path, "--out", self.out], capture_output=True, text=True)

    def test_every_value_arrives(self):
        for name, opener in (("sim__1.p", open), ("sim__1.p.gz", gzip.open)):
            done = self.convert(experiment(), name, opener=opener)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.strip(), str(self.out / "sim__1.h5"))
            with h5py.File(self.out / "sim__1.h5") as file:
                self.assertEqual(list(file["input/ptr"]), [0, 4, 5])
                self.assertEqual(list(file["input/times_ms"]), [0, 1, 1, 4, 3])
                self.assertEqual(list(file["input/synapse"]), [4, 0, 2, 0, 3])
                self.assertEqual(list(file["output/ptr"]), [0, 1, 1])
                self.assertEqual(list(file["output/times_ms"]), [2.5])
                self.assertEqual(file["soma_mV"].shape, (2, 5))
                self.assertEqual(list(file["soma_mV"][0]), [-70, -69, -40, -68, -67])
                self.assertEqual(list(file["segment_is_apical"]), [0, 1, 1])

    def test_damaged_files_are_refused(self):
        def damaged(change):
            content = experiment()
            change(content["Results"]["listOfSingleSimulationDicts"], content)
            return content

        script = script_as_module()
        table = [
            (b"no pickle", "is no pickle"),
            (pickle.dumps(experiment())[:60], "is no pickle"),
            ({"Params": {}}, "has no 'allSegmentsType'"),
            (damaged(lambda runs, _: runs[1].pop("somaVoltageLowRes")), "simulation 1: has no 'somaVoltageLowRes'"),
            (damaged(lambda runs, _: runs[0]["exInputSpikeTimes"].update({3: [1]})), "found segment 3, expected 0 to 2"),
            (damaged(lambda runs, _: runs[0]["inhInputSpikeTimes"].update({1: [5]})), "a time beyond the 5 ms"),
            (damaged(lambda runs, _: runs[0].update(somaVoltageLowRes=np.zeros(4))), "found 4 values, expected 5"),
            (damaged(lambda runs, _: runs[0].update(somaVoltageLowRes=[0, 0, np.nan, 0, 0])), "not finite"),
            (damaged(lambda runs, _: runs[0].update(somaVoltageLowRes="fast")), "somaVoltageLowRes: expected numbers"),
            (damaged(lambda runs, _: runs[0].update(somaVoltageLowRes={})), "somaVoltageLowRes: expected numbers"),
            (damaged(lambda runs, _: runs[0]["exInputSpikeTimes"].update({1: [1.5]})), "between two steps"),
            (damaged(lambda runs, _: runs[0]["exInputSpikeTimes"].update({1: [-1]})), "a time beyond the 5 ms"),
            (damaged(lambda runs, _: runs[0]["exInputSpikeTimes"].update({1: ["x"]})), "segment 1: expected numbers"),
            (damaged(lambda runs, _: runs[0]["exInputSpikeTimes"].update({1: None})), "segment 1: found a value that"),
            (damaged(lambda runs, _: runs[0]["exInputSpikeTimes"].update({"soma": [1]})), "'soma', expected a whole"),
            (damaged(lambda runs, _: runs[0]["exInputSpikeTimes"].update({0.5: [1]})), "0.5, expected a whole"),
            (damaged(lambda runs, _: runs[0].update(exInputSpikeTimes=[[1]])), "found list, expected a dictionary"),
            (damaged(lambda runs, _: runs[1].update(outputSpikeTimes=[np.inf])), "simulation 1: outputSpikeTimes: found a"),
            (damaged(lambda runs, _: runs[1].update(outputSpikeTimes=[5.5])), "outputSpikeTimes: found a time beyond"),
            (damaged(lambda runs, _: runs[1].update(outputSpikeTimes=[0.4])), "outputSpikeTimes: found a time beyond"),
            (damaged(lambda runs, _: runs.append(7)), "simulation 2: found int, expected a dictionary"),
            (damaged(lambda _, content: content.update(Results=[])), "'Results': found list"),
            (damaged(lambda _, content: content["Results"].update(listOfSingleSimulationDicts=3)), "found int, expected a list"),
            (damaged(lambda _, content: content["Params"].update(allSegmentsType=7)), "'allSegmentsType': found int"),
            (damaged(lambda _, content: content["Params"].update(allSegmentsType=[])), "found 0 segments"),
            (damaged(lambda _, content: content["Params"].update(allSegmentsType=["basal"] * 32769)),
             "found 32769 segments, expected 1 to 32768"),
            (damaged(lambda _, content: content["Params"].update(totalSimDurationInSec="long")), "expected numbers"),
            (damaged(lambda _, content: content["Params"].update(totalSimDurationInSec=0)), "expected whole ms"),
            (damaged(lambda _, content: content["Params"].update(totalSimDurationInSec=0.0055)), "expected whole ms"),
            (damaged(lambda _, content: content["Params"].update(totalSimDurationInSec=[1, 2])), "expected whole ms"),
            ([1, 2], "found list, expected a dictionary"),
            (b"cnumpy.core.multiarray\n_reconstruct\n(tR.", "is no pickle, or a damaged one"),  # Without arguments.
            (b"cnumpy\nndarray\n(S'x'\ntR.", "is no pickle, or a damaged one"),
            (b"\x80\x02cnumpy.core.multiarray\nnothing\n.", "which is no data"),
            (damaged(lambda runs, _: runs.clear()), "has no simulations"),
            (damaged(lambda _, content: content.update(more=Program())), "which is no data"),
        ]
        for content, message in table:
            with self.subTest(message):
                # In this process: another error than the one that ends the script fails the test.
                words = [str(SCRIPT), str(self.write(content)), "--out", str(self.out)]
                with mock.patch.object(sys, "argv", words), self.assertRaises(SystemExit) as end:
                    script.main()
                self.assertIn(message, str(end.exception.code))
                self.assertIn("sim__1.p: ", str(end.exception.code))
                self.assertFalse((self.out / "sim__1.h5").exists())

    def test_what_is_wrong_is_one_line(self):
        done = self.convert(b"no pickle")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
