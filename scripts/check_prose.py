#!/usr/bin/env python3
"""Counts hard-to-read comments and long Markdown lines; fails if a count exceeds its limit.

A comment may not open with a clause that stands for a noun ("What ...", "Of ...", "Those ..."): name the thing.
A line of Markdown has at most 120 characters. Rows of tables cannot be broken and are counted apart.

The limits below may only be lowered. After removing some, set the limit to the count that this script prints.

usage: check_prose.py [--list] [ROOT]      --list prints every line that is counted
"""
import re
import sys
from pathlib import Path

LIMITS = {"comment openings": 2, "long lines of Markdown": 0, "long rows of tables": 8}

LONGEST = 120
FOLDERS = (".ci", "checkpoints", "cmake", "datasets", "docs", "include", "scripts", "src", "tasks", "tests")
WORDS = r"(?:What|Of|By what|In what|Those|That of|So many|As many)\b"
SLASHES = re.compile(r"//[/!]?<?\s*" + WORDS)
HASH = re.compile(r"(?:^|\s)#\s*" + WORDS + r'|"""' + WORDS)
CPP = (".cpp", ".hpp", ".inl")


def comment_pattern(path):
    """The pattern for comments of the file at `path`; None if its language is not checked."""
    if path.suffix in CPP:
        return SLASHES
    if path.suffix in (".cmake", ".sh", ".py") or path.name == "CMakeLists.txt" or path.parent.name == ".ci":
        return HASH
    return None


def findings(path, text):
    """(kind, line number, line) of each counted line."""
    pattern = comment_pattern(path)
    markdown = path.suffix == ".md"
    for number, line in enumerate(text.splitlines(), 1):
        if markdown and len(line) > LONGEST:
            yield ("long rows of tables" if line.lstrip().startswith("|") else "long lines of Markdown"), number, line
        elif pattern and pattern.search(line):
            yield "comment openings", number, line


def checked_files(root):
    """Files at the top and in the checked folders."""
    yield from sorted(path for path in root.iterdir() if path.is_file())
    for folder in FOLDERS:
        yield from sorted(path for path in (root / folder).rglob("*") if path.is_file())


def main(words):
    listed = "--list" in words
    words = [word for word in words if word != "--list"]
    root = Path(words[0] if words else Path(__file__).parent.parent).resolve()
    counts = dict.fromkeys(LIMITS, 0)
    for path in checked_files(root):
        if path.suffix != ".md" and comment_pattern(path) is None:
            continue
        for kind, number, line in findings(path, path.read_text()):
            counts[kind] += 1
            if listed:
                print(f"{path.relative_to(root)}:{number}: {kind}: {line.strip()}")
    status = 0
    for kind, count in counts.items():
        limit = LIMITS[kind]
        advice = ""
        if count > limit:
            status, advice = 1, ": rewrite the new ones; --list shows all"
        elif count < limit:
            advice = ": lower the limit in scripts/check_prose.py"
        print(f"{kind}: {count}, limit {limit}{advice}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
