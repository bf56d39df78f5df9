#!/usr/bin/env python3
"""Makes datasets/mini from the four MNIST files: the first images of each class, in file order.

    scripts/make_mini_mnist.py --from DIR [--out datasets/mini]

DIR holds the files of MNIST as published, gzipped or not. Writes 1,000 images of its training part (100
of each class) and 500 of its test part (50 of each class) as gzipped IDX files and prints the size and
SHA-256 of what they hold, which datasets/mini_mnist.cpp states. The same input gives the same bytes
out (with the same zlib). Standard library only.
"""

import argparse
import gzip
import hashlib
import io
import pathlib
import struct
import sys

CLASSES = 10
SIDE = 28
# Part of the file names -> (images kept of each class, SHA-256 of images, SHA-256 of labels).
PARTS = {
    "train": (
        100,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k": (
        50,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


def read(folder: pathlib.Path, name: str, sha256: str) -> bytes:
    """Returns the checked content of a file of MNIST."""
    path = folder / name
    if path.exists():
        content = path.read_bytes()
    else:
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        sys.exit(f"{path}: content has SHA-256 {found}, expected {sha256}")
    return content


def first_of_each_class(labels: bytes, wanted: int) -> list[int]:
    """Returns the ascending indices of the first `wanted` samples of each class."""
    seen = [0] * CLASSES
    chosen = []
    for index, label in enumerate(labels):
        if seen[label] < wanted:
            seen[label] += 1
            chosen.append(index)
    return chosen


def write(folder: pathlib.Path, name: str, content: bytes) -> None:
    """Writes gzipped, without time and name, so that each run writes the same bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as file:
        file.write(content)
    (folder / f"{name}.gz").write_bytes(packed.getvalue())
    print(f"{name}: {len(packed.getvalue())} bytes; content {len(content)} bytes, "
          f"SHA-256 {hashlib.sha256(content).hexdigest()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent / "datasets" / "mini")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for part, (wanted, images_sha256, labels_sha256) in PARTS.items():
        image_name, label_name = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        images = read(arguments.source, image_name, images_sha256)[16:]
        labels = read(arguments.source, label_name, labels_sha256)[8:]
        chosen = first_of_each_class(labels, wanted)
        size = SIDE * SIDE
        pixels = b"".join(images[index * size:(index + 1) * size] for index in chosen)
        write(arguments.out, image_name,
              struct.pack(">IIII", 0x803, len(chosen), SIDE, SIDE) + pixels)
        write(arguments.out, label_name,
              struct.pack(">II", 0x801, len(chosen)) + bytes(labels[index] for index in chosen))


if __name__ == "__main__":
    main()
