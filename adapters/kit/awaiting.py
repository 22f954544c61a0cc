"""Answers that come by another way than their questions: whoever asked waits, and whoever hears one hands it over."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K")
A = TypeVar("A")


class Awaiting(Generic[K, A]):
    """Who waits for what, by a key that question and answer share. Several may wait for the same."""

    def __init__(self) -> None:
        self._waiting: defaultdict[K, list[asyncio.Future[A]]] = defaultdict(list)

    @contextmanager
    def expecting(self, keys: Iterable[K]) -> "Iterator[Mapping[K, asyncio.Future[A]]]":
        """Futures of the answers, for the length of the block; it begins before the question leaves, since an answer may be quick."""
        expected = {key: asyncio.get_running_loop().create_future() for key in keys}
        for key, future in expected.items():
            self._waiting[key].append(future)
        try:
            yield expected
        finally:
            for key, future in expected.items():
                self._waiting[key].remove(future)
                if not self._waiting[key]:
                    del self._waiting[key]

    def heard(self, key: K, answer: A) -> bool:
        """Hands an answer over; False when nobody waits for it, or had it already."""
        open_ones = [future for future in self._waiting.get(key, ()) if not future.done()]
        for future in open_ones:
            future.set_result(answer)
        return bool(open_ones)
