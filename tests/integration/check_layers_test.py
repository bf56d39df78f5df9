"""scripts/check_layers.py finds each kind of violation when it is planted, and nothing in a clean tree."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_layers.py"

CLEAN = {
    "src/base/CMakeLists.txt": "afterspike_library(base\n  SOURCES error.cpp\n  EXTERNAL fmt::fmt)\n",
    "src/io/CMakeLists.txt": "afterspike_library(io SOURCES json.cpp DEPENDS afterspike::base)\n",
    "src/nn/CMakeLists.txt": "afterspike_library(nn\n  SOURCES layer.cpp\n  DEPENDS afterspike::io\n  TORCH)\n",
    "tasks/CMakeLists.txt": "afterspike_library(tasks SOURCES line_mnist.cpp DEPENDS afterspike::base)\n",
    "include/afterspike/base/error.hpp": "#include <string>\n",
    "include/afterspike/io/json.hpp": '#include "afterspike/base/error.hpp"\n',
    "include/afterspike/nn/layer.hpp": "#include <ATen/core/Tensor.h>\n",
    "src/base/error.cpp": '#include "afterspike/base/error.hpp"\n',
    "src/io/json.cpp": '#include "afterspike/io/json.hpp"\n\n#include "file.hpp"\n',
    "src/io/file.hpp": "",
    # base comes through io: uses are transitive.
    "src/nn/neurons/glifr.cpp": '#include "afterspike/base/error.hpp"\n#include <torch/nn/module.h>\n',
    "tasks/line_mnist.cpp": "#include <vector>\n",
    "tests/unit/io/file_test.cpp": '#include "io/file.hpp"\n#include "afterspike/nn/layer.hpp"\n',
}

# Planted violations: file, content, the whole report.
PLANTED = [
    ("tasks/line_mnist.cpp", '#include <vector>\n\n#include "afterspike/nn/layer.hpp"\n',
     "tasks/line_mnist.cpp:3: tasks may not include nn"),
    ("tasks/line_mnist.cpp", "#include <afterspike/io/json.hpp>\n",
     "tasks/line_mnist.cpp:1: tasks may not include io"),
    ("src/nn/neurons/glifr.cpp", '  #  include "afterspike/tasks/task.hpp"\n',
     "src/nn/neurons/glifr.cpp:1: nn may not include tasks"),
    ("include/afterspike/io/json.hpp", '#include "file.hpp"\n',
     'include/afterspike/io/json.hpp:1: public headers may not include the private "file.hpp"'),
    ("include/afterspike/base/error.hpp", '#include "afterspike/io/json.hpp"\n',
     "include/afterspike/base/error.hpp:1: base may not include io"),
    ("src/io/json.cpp", "#include <c10/util/Exception.h>\n",
     "src/io/json.cpp:1: io may not include LibTorch: it has no TORCH"),
    ("src/nn/layer.cpp", '#include "../io/file.hpp"\n',
     'src/nn/layer.cpp:1: nn may not include "../io/file.hpp", which is private to io'),
    ("tests/unit/nn/layer_test.cpp", '#include "io/file.hpp"\n',
     'tests/unit/nn/layer_test.cpp:1: nn may not include "io/file.hpp", which is private to io'),
    ("tests/integration/all_test.cpp", '#include "io/file.hpp"\n',
     'tests/integration/all_test.cpp:1: tests may not include "io/file.hpp", which is private to io'),
    ("src/sim/queue.cpp", "#include <vector>\n",
     "src/sim/queue.cpp: no afterspike_library(sim) declares what it may use"),
    ("src/base/CMakeLists.txt", "afterspike_library(base SOURCES error.cpp DEPENDS afterspike::io)\n",
     "base uses itself through its DEPENDS\nio uses itself through its DEPENDS"),
]


def report_of(files):
    """Exit status and output of the script for a tree of these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        done = subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()


class CheckLayers(unittest.TestCase):
    def test_accepts_a_clean_tree(self):
        self.assertEqual(report_of(CLEAN), (0, "4 modules: no include crosses a layer"))

    def test_reports_what_is_planted(self):
        for name, content, expected in PLANTED:
            with self.subTest(expected):
                self.assertEqual(report_of({**CLEAN, name: content}), (1, expected))

    def test_refuses_a_tree_without_modules(self):
        status, output = report_of({"src/a.cpp": ""})
        self.assertEqual(status, 1)
        self.assertIn("no afterspike_library(...)", output)


if __name__ == "__main__":
    unittest.main()
