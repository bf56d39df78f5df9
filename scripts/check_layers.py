#!/usr/bin/env python3
"""Reports every #include that crosses a layer; fails if there is one.

DEPENDS in the afterspike_library(...) and afterspike_extension(...) calls of the CMakeLists.txt files lists the modules that a module may
use; uses are transitive. Public headers include public headers only, a private header is included by its own
module and its tests only, and LibTorch by modules with TORCH only.

usage: check_layers.py [ROOT]
"""
import re
import sys
from pathlib import Path

LIBRARY = re.compile(r"^afterspike_(?:library|extension)\((\w+)([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)')
LIBTORCH = ("ATen/", "torch/", "c10/")


def read_modules(root):
    """Returns {module: (the modules in its DEPENDS, whether it has TORCH)}."""
    modules = {}
    for folder in ("src", "datasets", "tasks"):
        for lists in sorted((root / folder).rglob("CMakeLists.txt")):
            for name, body in LIBRARY.findall(lists.read_text()):
                modules[name] = (set(re.findall(r"afterspike::(\w+)", body)), "TORCH" in body.split())
    return modules


def closure(modules, name):
    """Returns the modules that `name` uses, directly or not; `name` is among them only in a cycle."""
    seen, waiting = set(), [name]
    while waiting:
        for used in modules.get(waiting.pop(), (set(), False))[0] - seen:
            seen.add(used)
            waiting.append(used)
    return seen


def owner_of(path):
    """Returns (kind, module) of a file: "public", "private" or "test"; src/nn/neurons belongs to nn."""
    parts = path.parts
    if parts[0] == "include":
        return "public", parts[2]
    if parts[0] == "tests":
        return "test", parts[2] if parts[1] in ("unit", "bench") else ""
    return "private", parts[1] if parts[0] == "src" else parts[0]


def fault(root, path, modules, quote, included):
    """Returns the fault of one include of the file at `path`, or None."""
    kind, module = owner_of(path)
    public = included.startswith("afterspike/")
    if kind == "public" and quote == '"' and not public:
        return f'public headers may not include the private "{included}"'
    if quote == '"' and not public:
        for base in (root / path.parent, root / "src"):
            if (base / included).is_file():
                target = (base / included).resolve().relative_to(root)
                owner = owner_of(target)
                if owner[0] == "private" and owner[1] != module:
                    return f'{module or "tests"} may not include "{included}", which is private to {owner[1]}'
        return None
    if kind == "test":
        return None  # A test may use any module it links.
    if included.startswith(LIBTORCH):
        return None if modules[module][1] else f"{module} may not include LibTorch: it has no TORCH"
    used = included.split("/")[1] if public else module
    return None if used == module or used in closure(modules, module) else f"{module} may not include {used}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    modules = read_modules(root)
    if not modules:
        sys.exit(f"{root}: no afterspike_library(...) below src, datasets or tasks")
    faults = [f"{name} uses itself through its DEPENDS" for name in modules if name in closure(modules, name)]
    for folder in ("include", "src", "datasets", "tasks", "tests"):
        for file in sorted((root / folder).rglob("*.*")):
            if file.suffix not in (".cpp", ".hpp", ".inl"):
                continue
            path = file.relative_to(root)
            kind, module = owner_of(path)
            if kind != "test" and module not in modules:
                faults.append(f"{path}: no afterspike_library({module}) declares what it may use")
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                found = INCLUDE.match(line)
                message = found and fault(root, path, modules, *found.groups())
                if message:
                    faults.append(f"{path}:{number}: {message}")
    print("\n".join(faults) or f"{len(modules)} modules: no include crosses a layer")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
