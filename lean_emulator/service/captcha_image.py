"""Digits as a picture: a small PNG, drawn without any library."""

import random
import struct
import zlib

_GLYPHS = {
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31), "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
}  # fmt: skip
"""Seven rows of five dots, the highest bit on the left."""
_COLUMNS, _ROWS = 5, 7
_PAPER, _INK, _DUST = 255, 40, 170


def drawn(digits: str, width: int, height: int, seed: str) -> bytes:
    """A grey PNG of that many pixels; the same seed draws the same dust and shifts."""
    chance = random.Random(seed)  # noqa: S311 - only makes a picture uneven
    rows = [bytearray([_PAPER]) * width for _ in range(height)]
    for _ in range(width * height // 25):
        rows[chance.randrange(height)][chance.randrange(width)] = _DUST
    dot = max(1, min(width // (len(digits) * (_COLUMNS + 1) + 1), height // (_ROWS + 2)))
    step = width / len(digits)
    for place, digit in enumerate(digits):
        left = int(place * step + (step - _COLUMNS * dot) / 2)
        top = (height - _ROWS * dot) // 2 + chance.randint(-dot, dot)
        _stamp(rows, digit, left, top, dot)
    return _png(rows, width, height)


def _stamp(rows: list[bytearray], digit: str, left: int, top: int, dot: int) -> None:
    for line, bits in enumerate(_GLYPHS[digit]):
        for column in range(_COLUMNS):
            if not bits >> (_COLUMNS - 1 - column) & 1:
                continue
            x = max(0, left + column * dot)
            for y in range(top + line * dot, top + (line + 1) * dot):
                if 0 <= y < len(rows):
                    end = min(x + dot, len(rows[y]))
                    rows[y][x:end] = bytes([_INK]) * (end - x)


def _png(rows: list[bytearray], width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = (b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
