"""Runs every ```sh block of README.md, docs/commands.md and docs/tutorials/*.md in the order printed; checks links.

usage: pages_test.py PROGRAM

Each page runs in one shell with its own empty directory. To finish in seconds on the digits that ship with the
project, the directory differs from a checkout in this only:

- build/release/bin/afterspike is PROGRAM, and datasets/mini is the one of the project.
- tasks/configs holds copies of the configurations with the replacements of CONFIGURATIONS.
- Words of commands are replaced as in COMMANDS.

A block below a comment `<!-- not run: REASON -->` is left out.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "commands.md", *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]

# Pattern of a line of a configuration, and its replacement.
CONFIGURATIONS = [
    (r"^dataset = .*", ""),
    (r'^name = "line_mnist"$', 'name = "line_mnist"\ndataset = "mini_mnist"\ntrain_samples = 100\ntest_samples = 50'),
    (r"^validation = .*", "validation = 50"),
    (r"^epochs = .*", "epochs = 2"),
    (r"^hidden = .*", "hidden = 12"),
    (r"^batch_size = .*", "batch_size = 50"),
    (r"^sigma_epochs = .*", "sigma_epochs = 1"),
]
# Pattern in a command, and its replacement.
COMMANDS = [
    (r"--task line_mnist\b", "--task line_mnist --set task.dataset=mini_mnist --set task.train_samples=100"),
    (r" --set task\.dataset=mini_mnist( --set task.train_samples=100 --set task\.dataset=mini_mnist)", r"\1"),
    (r"--match-params \d+", "--match-params 2000"),
    (r"--epochs \d+", "--epochs 3"),
    (r"sigma_epochs=\d+", "sigma_epochs=1"),
    (r"--variant lheta", "--variant lheta --hidden 8 --epochs 2"),
    (r"cluster (\S+)( --replicates \d+)?", r"cluster \1 --k 2:3 --replicates 4"),
    (r"inspect (\S+)", r"inspect \1 --limit 20"),
]

BLOCK = re.compile(r"(?P<skip><!-- not run: [^>]+ -->\n)?```(?:sh|bash|shell)\n(?P<code>.*?)```", re.DOTALL)

LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)


def anchors(text):
    """The anchors of the headings of a page, as web sites for Git make them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def broken_links(page):
    """Links of a page to files or headings of the project that do not exist."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    broken = []
    for inline, reference in LINK.findall(text):
        path, _, anchor = (inline or reference).partition("#")
        target = page.parent / path if path else page
        if path.startswith("http"):
            continue
        if not target.exists() or anchor and anchor not in anchors(target.read_text()):
            broken.append(inline or reference)
    return broken


def blocks(text):
    """The blocks that are run."""
    return [found["code"] for found in BLOCK.finditer(text) if not found["skip"]]


def substituted(text, table):
    for pattern, replacement in table:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


def prepare(folder, program):
    """Fills the working directory of a page."""
    (folder / "build/release/bin").mkdir(parents=True)
    (folder / "build/release/bin/afterspike").symlink_to(program)
    (folder / "datasets").mkdir()
    (folder / "datasets/mini").symlink_to(ROOT / "datasets" / "mini")
    (folder / "tasks/configs").mkdir(parents=True)
    (folder / "tasks/networks").symlink_to(ROOT / "tasks" / "networks")
    for path in (ROOT / "tasks" / "configs").glob("*.toml"):
        (folder / "tasks/configs" / path.name).write_text(substituted(path.read_text(), CONFIGURATIONS))


class Pages(unittest.TestCase):
    program = None

    def run_page(self, page):
        code = "".join(blocks(page.read_text()))
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), self.program)
            environment = {name: value for name, value in os.environ.items() if not name.startswith("AFTERSPIKE_DATA")}
            script = "set -eu -o pipefail\n" + substituted(code, COMMANDS)
            done = subprocess.run(["bash", "-xc", script], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, check=False, env=environment)
            self.assertEqual(done.returncode, 0, f"{page.name}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        return code.count("$A ")

    def test_commands_run_in_the_order_printed(self):
        for page in PAGES:
            with self.subTest(page.name):
                self.assertGreater(self.run_page(page), 5)

    def test_finds_blocks_and_skips_marked_ones(self):
        text = "a\n```sh\none\n```\n\n<!-- not run: needs the network -->\n```sh\ntwo\n```\n```python\nthree\n```\n"
        self.assertEqual(blocks(text), ["one\n"])

    def test_links_lead_to_files_and_headings(self):
        pages = [*ROOT.glob("*.md"), *(page for folder in ("checkpoints", "datasets", "docs")
                                       for page in (ROOT / folder).rglob("*.md"))]
        self.assertEqual({str(page.relative_to(ROOT)): broken_links(page) for page in pages if broken_links(page)}, {})

    def test_reports_broken_links(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text("# A title, `x`\n[a](#a-title-x) [b](#b) [c](none.md) [d](page.md#a-title-x) [e][f]\n\n"
                            "[f]: gone.md\n")
            self.assertEqual(broken_links(page), ["#b", "none.md", "gone.md"])

    def test_reports_a_command_that_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text("```sh\nA=build/release/bin/afterspike\n$A evaluate runs/none\n```\n")
            with self.assertRaisesRegex(AssertionError, "runs/none"):
                self.run_page(page)


if __name__ == "__main__":
    Pages.program = Path(sys.argv.pop(1)).resolve()
    unittest.main()
