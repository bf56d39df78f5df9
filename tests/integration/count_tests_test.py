"""scripts/count_tests.py counts test cases, not programs, and never loses a failure."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "count_tests.py"

GOOGLE = """[==========] 5 tests from 2 test suites ran. (7 ms total)
[  PASSED  ] {passed} tests.
[  SKIPPED ] 2 tests, listed below:
[  SKIPPED ] Golden.Grid
[  SKIPPED ] Tables/Golden.Scores/nmnist
"""
GOOGLE_FAILED = "[  FAILED  ] 1 test, listed below:\n[  FAILED  ] Sums.AreExact\n\n 1 FAILED TEST\n"


def case(name, status, output):
    text = output.replace("&", "&amp;").replace("<", "&lt;")
    return f'<testcase name="{name}" status="{status}"><system-out>{text}</system-out></testcase>'


def count(cases, log="", status=0):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.xml").write_text(f"<testsuite>{''.join(cases)}</testsuite>")
        Path(folder, "empty.xml").write_text("")
        Path(folder, "log").write_text(log)
        command = [sys.executable, SCRIPT, folder, "--status", str(status)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


class CountTests(unittest.TestCase):
    def last(self, *arguments, **named):
        return count(*arguments, **named)[-1]

    def test_test_cases_are_counted_and_skipped_ones_named(self):
        lines = count([case("sim_test", "run", GOOGLE.format(passed=3)), case("layers", "run", "fine\n")])
        self.assertEqual(lines[-3:], ["skipped: sim_test: Golden.Grid",
                                      "skipped: sim_test: Tables/Golden.Scores/nmnist",
                                      "2 skipped, 4 passed, 0 failed"])

    def test_failed_test_cases(self):
        output = GOOGLE.format(passed=2) + GOOGLE_FAILED
        self.assertEqual(self.last([case("a_test", "fail", output)], status=1), "2 skipped, 2 passed, 1 failed")

    def test_programs_that_end_early_or_with_a_leak(self):
        self.assertEqual(self.last([case("a_test", "fail", "[ RUN      ] A.B\n")], status=1),
                         "0 skipped, 0 passed, 1 failed")
        self.assertEqual(self.last([case("a_test", "fail", GOOGLE.format(passed=3))], status=1),
                         "2 skipped, 3 passed, 1 failed")

    def test_checks_and_python(self):
        python = case("charts", "run", "Ran 3 tests in 0.1s\n\nOK (skipped=1)\n")
        self.assertEqual(self.last([python], log="check format: passed\ncheck avx2: failed\n", status=1),
                         "1 skipped, 2 passed, 1 failed")

    def test_pytest(self):
        self.assertEqual(self.last([case("python", "run", "..s\n2 passed, 1 skipped in 3.52s\n")]),
                         "1 skipped, 2 passed, 0 failed")
        output = "==== 1 failed, 2 passed, 3 warnings in 63.52s (0:01:03) ====\n"
        self.assertEqual(self.last([case("python", "fail", output)], status=1), "0 skipped, 2 passed, 1 failed")

    def test_a_build_that_breaks_is_a_failure(self):
        self.assertEqual(self.last([], log="no tests\n", status=1), "0 skipped, 0 passed, 1 failed")
        self.assertEqual(self.last([case("gone", "notrun", "")], status=1), "1 skipped, 0 passed, 1 failed")


if __name__ == "__main__":
    unittest.main()
