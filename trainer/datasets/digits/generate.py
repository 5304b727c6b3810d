"""Writes the UCI handwritten digits as an image folder next to this file.

    pip install scikit-learn && python generate.py

Rule: within each class, in the order of the original file, every 5th image is for validation, the others are for training.
A file is named by its row in the original file; grey values 0..16 become 0..255. The PNGs are not compressed, so the same
bytes come out whatever zlib is at hand.
"""

import shutil
import struct
import zlib
from pathlib import Path

from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
EVERY = 5


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def grey_png(rows: list[bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def main() -> None:
    digits = load_digits()
    for split in ("train", "val"):
        shutil.rmtree(HERE / split, ignore_errors=True)
    seen = [0] * 10
    for number, (image, label) in enumerate(zip(digits.images, digits.target)):
        seen[label] += 1
        split = "val" if seen[label] % EVERY == 0 else "train"
        folder = HERE / split / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        rows = [bytes((int(value) * 255 + 8) // 16 for value in row) for row in image]
        (folder / f"{number:04}.png").write_bytes(grey_png(rows))


if __name__ == "__main__":
    main()
