"""Integers of a few bits, one behind the other without a gap."""

from __future__ import annotations

import math

import numpy as np


def packed_size(n: int, bits: int) -> int:
    """Return the bytes of n integers of so many bits."""
    return math.ceil(n * bits / 8)


def pack(codes: np.ndarray, bits: int) -> bytes:
    """Pack signed integers.

    Args:
        codes: any shape, from -(2 ** (bits - 1)) to 2 ** (bits - 1) - 1.
        bits: 2 to 16.

    Returns:
        `packed_size` bytes, the lowest bit of the first integer first. The last byte is filled with zeros.
    """
    unsigned = codes.reshape(-1, 1).astype(np.int32) + 2 ** (bits - 1)
    return np.packbits((unsigned >> np.arange(bits) & 1).astype(np.uint8), bitorder="little").tobytes()


def unpack(content: bytes, n: int, bits: int) -> np.ndarray:
    """Return the n integers of `pack` as int32."""
    each = np.unpackbits(np.frombuffer(content, np.uint8), count=n * bits, bitorder="little").reshape(n, bits)
    return each @ (1 << np.arange(bits, dtype=np.int32)) - 2 ** (bits - 1)
