"""scripts/report_charts.sh --check: passes by only where npm's registry cannot be reached."""
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "src" / "report" / "web" / "charts.min.js"


class ReportCharts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def check(self, npm):
        """Runs the script with the shell commands `npm` as the program npm."""
        program = self.folder / "npm"
        program.write_text("#!/bin/sh\n" + npm)
        program.chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        return subprocess.run([ROOT / "scripts" / "report_charts.sh", "--check"], capture_output=True, text=True,
                              env={**os.environ, "PATH": path})

    @staticmethod
    def failing(code):
        return f"echo 'npm error code {code}' >&2\nexit 1\n"

    @staticmethod
    def building(file):
        """Installs nothing; builds this file."""
        return f"""[ "$1" = ci ] && exit 0
for word; do case "$word" in --outfile=*) cp '{file}' "${{word#--outfile=}}" ;; esac; done
"""

    def test_a_registry_out_of_reach_is_no_failure(self):
        for code in ("ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNREFUSED", "ECONNRESET"):
            with self.subTest(code):
                done = self.check(self.failing(code))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("charts.min.js is not compared", done.stdout)

    def test_any_other_end_of_npm_is_one(self):
        for code in ("EINTEGRITY", "EUSAGE", "E404", "ENOTFOUNDED"):
            with self.subTest(code):
                done = self.check(self.failing(code))
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("npm ci failed", done.stderr)
                self.assertIn(code, done.stderr)
        self.assertEqual(self.check("exit 1").returncode, 1)

    def test_what_is_built_is_compared(self):
        self.assertEqual(self.check(self.building(CHARTS)).returncode, 0)
        other = self.folder / "other.js"
        shutil.copy(CHARTS, other)
        other.write_bytes(other.read_bytes() + b" ")
        done = self.check(self.building(other))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not what its sources give", done.stderr)


if __name__ == "__main__":
    unittest.main()
