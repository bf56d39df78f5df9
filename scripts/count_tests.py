#!/usr/bin/env python3
"""Counts the results of a .ci/run: count_tests.py DIRECTORY --status STATUS

DIRECTORY holds the JUnit files that ctest wrote (*.xml) and the output of the scripts (log). A GoogleTest
program or pytest counts as its test cases, a check and any other test as one. Prints the names of skipped test cases;
the last line ends with "N passed, N failed".
"""

import argparse
import collections
import pathlib
import re
import xml.etree.ElementTree

PYTEST = re.compile(r"^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s(?: \([\d:]+\))? ?=*$", re.MULTILINE)
SUMMARY = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) +\] (\d+) tests?[.,]", re.MULTILINE)
UNITTEST_SKIPPED = re.compile(r"^OK \(.*skipped=(\d+)", re.MULTILINE)
SKIPPED = re.compile(r"^\[  SKIPPED \] ([^\s,]+)$", re.MULTILINE)


def count_case(case, counts):
    """Adds a <testcase> of CTest; returns the names of the test cases that it skipped."""
    output = case.findtext("system-out") or ""
    found = {kind.lower(): int(number) for kind, number in SUMMARY.findall(output)}
    failed = case.get("status") == "fail"
    if case.get("status") in ("notrun", "disabled"):
        counts["skipped"] += 1
        return [case.get("name")]
    pytest = PYTEST.search(output)
    if pytest:
        found = {kind: int(number) for number, kind in re.findall(r"(\d+) (passed|failed|skipped)", pytest[1])}
    if "passed" not in found:  # Another kind of test, or a program that ended early.
        counts["failed" if failed else "passed"] += 1
        python = UNITTEST_SKIPPED.search(output)
        counts["skipped"] += int(python[1]) if python else 0
        return [f"{case.get('name')}: {python[1]} of its parts"] if python else []
    counts.update(found)
    # Failed outside of its test cases, as by a sanitizer at its end.
    if failed and not found.get("failed"):
        counts["failed"] += 1
    return sorted({f"{case.get('name')}: {name}" for name in SKIPPED.findall(output)}) if "skipped" in found else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--status", type=int, default=0, help="not 0: a script failed; at least one failure is counted")
    arguments = parser.parse_args()

    counts, skipped = collections.Counter(), []
    for file in sorted(arguments.directory.glob("*.xml")):
        if file.stat().st_size == 0:  # ctest did not come to its end; the status says so.
            continue
        for case in xml.etree.ElementTree.parse(file).iter("testcase"):
            skipped += count_case(case, counts)
    log = arguments.directory / "log"
    if log.exists():
        for result in re.findall(r"^check \w+: (passed|failed)$", log.read_text(errors="replace"), re.MULTILINE):
            counts[result] += 1
    # A script that ended with no failure counted, as when the build breaks.
    if arguments.status != 0 and counts["failed"] == 0:
        counts["failed"] = 1

    print()
    for name in skipped:
        print(f"skipped: {name}")
    print(f"{counts['skipped']} skipped, {counts['passed']} passed, {counts['failed']} failed")


if __name__ == "__main__":
    main()
