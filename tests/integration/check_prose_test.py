"""scripts/check_prose.py counts each kind of line when it is planted, and nothing in a clean tree."""
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_prose.py"

CLEAN = {
    "README.md": "a" * 120 + "\n",
    "src/base/error.cpp": '/// Returns whatever is left. What follows is inside a line.\nint x;  // Offset.\n',
    "src/base/notes.txt": "// What is not a source is not read.\n",
    "scripts/run.sh": "#!/bin/sh\n# Runs it.\necho '#Of'\n",
}

# The kind, and a file with one line of that kind.
PLANTED = [
    ("comment openings", "src/base/error.cpp", "// What the error is.\n"),
    ("comment openings", "include/afterspike/base/error.hpp", "int x;  ///< Of the present window.\n"),
    ("comment openings", "tests/unit/base/error_test.cpp", "/// Those of others.\n"),
    ("comment openings", "src/kernels/rows.inl", "  // So many rows as fit.\n"),
    ("comment openings", "CMakeLists.txt", "# By what it is linked.\n"),
    ("comment openings", "scripts/run.py", 'def f():\n    """' + 'What it does."""\n'),
    ("comment openings", "scripts/run.sh", "true  # " + "As many as there are.\n"),
    ("comment openings", ".ci/run", "# In what order.\n"),
    ("long lines of Markdown", "docs/page.md", "a" * 121 + "\n"),
    ("long rows of tables", "docs/page.md", "| " + "a" * 121 + " |\n"),
]


def report_of(files, limit):
    """Exit status, the counts by kind, and the output of the script, whose limits are replaced by `limit`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        script = re.sub(r'(LIMITS = )\{.*\}', rf'\1dict.fromkeys(("comment openings", "long lines of Markdown", '
                        rf'"long rows of tables"), {limit})', SCRIPT.read_text(), count=1)
        done = subprocess.run([sys.executable, "-c", script, "--list", folder], capture_output=True, text=True,
                              check=False)
        counts = dict(re.findall(r"^([A-Za-z ]+): (\d+), limit", done.stdout, re.MULTILINE))
        return done.returncode, {kind: int(count) for kind, count in counts.items()}, done.stdout + done.stderr


class CheckProse(unittest.TestCase):
    def test_accepts_a_clean_tree(self):
        status, counts, output = report_of(CLEAN, 0)
        self.assertEqual((status, sum(counts.values()), len(counts)), (0, 0, 3), output)

    def test_counts_and_names_what_is_planted(self):
        for kind, name, content in PLANTED:
            with self.subTest(name=name, content=content):
                status, counts, output = report_of({**CLEAN, name: content}, 0)
                self.assertEqual((status, counts[kind], sum(counts.values())), (1, 1, 1), output)
                self.assertIn(f"{name}:{content.count(chr(10))}: {kind}: ", output)

    def test_accepts_up_to_the_limit_and_asks_to_lower_it(self):
        planted = {**CLEAN, "docs/page.md": ("a" * 121 + "\n") * 2}
        self.assertEqual(report_of(planted, 1)[0], 1)
        status, _, output = report_of(planted, 2)
        self.assertEqual(status, 0, output)
        self.assertIn("comment openings: 0, limit 2: lower the limit", output)


if __name__ == "__main__":
    unittest.main()
