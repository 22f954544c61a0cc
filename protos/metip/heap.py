"""What a process that serves tells the garbage collector, once it has started."""

import gc
from typing import Final

YOUNG: Final = 20_000
"""Objects that came to be, less those that went, between two collections of young ones: some hundred calls. Python has 700, some ten."""


def settle() -> None:
    """What is here now stays until the end, so no collection looks at it again: with it each full one would stop all calls. Collections are
    also fewer: what a call leaves behind goes when it is over, by reference count, and cycles are rare."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
