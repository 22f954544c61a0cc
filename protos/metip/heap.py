"""What a process that serves tells the garbage collector and the allocator, once it has started."""

import ctypes
import gc
import sys
from contextlib import suppress
from typing import Final

YOUNG: Final = 20_000
"""Objects that came to be, less those that went, between two collections of young ones: some hundred calls. Python has 700, some ten."""
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""glibc's names of what `mallopt` sets."""
KEPT: Final = {TRIM_THRESHOLD: 128 << 20, TOP_PAD: 16 << 20, MMAP_THRESHOLD: 32 << 20}
"""Bytes: free memory that is kept, how much more is asked for at once, and from which size on a block is the system's own."""


def settle() -> None:
    """What is here now stays until the end, so no collection looks at it again: with it each full one would stop all calls. Collections are
    also fewer: what a call leaves behind goes when it is over, by reference count, and cycles are rare. And what large messages needed is
    kept for the next ones: to give it back and fault it in again would cost a fifth of a bulk hand-over."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # not every C library has it
            for name, size in KEPT.items():
                ctypes.CDLL(None).mallopt(name, size)
