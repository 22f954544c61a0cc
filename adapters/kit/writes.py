"""The stage before the handler of a call that writes, where two systems could answer it: whoever's it is not refuses it.

Envoy's route says with each such call whose it is, by a token that grows with every change of that. A fence is held once it is on disk and
nothing that it keeps out is being executed here any more; then the worker says so to the hub. So an Envoy that missed a change can't have
a write executed where nobody looks for it any more.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Self

from google.protobuf.message import Message

from adapters.kit.marks import Bar
from adapters.kit.owned import Owned
from metip.call import Call
from metip.contracts import Operation
from metip.faults import Fault, Reason
from metip.tokens import token_of

Unary = Callable[[Any, Call], Awaitable[Message]]
POST: Final = "writes of "
"""Before the interface, in the file where fences are kept."""


class Writes:
    """Which calls that write one worker takes."""

    def __init__(self, system: str, owned: Owned, fences: Mapping[str, int]) -> None:
        """`fences` are those on disk, by interface."""
        self._system, self._owned = system, owned
        self._fences = dict(fences)
        self._inside: Counter[tuple[str, int]] = Counter()
        self._left = asyncio.Event()
        self.held = 0
        """The number of the highest fence that this worker holds and was given since it started."""

    @classmethod
    async def opened(cls, system: str, owned: Owned, interfaces: Iterable[str]) -> Self:
        """With the fences that an earlier worker left on disk."""
        return cls(system, owned, {name: await owned.fence(f"{POST}{name}") for name in interfaces})

    def guarded(self, operation: Operation, handler: Unary) -> Unary:
        """The handler of an operation that another system could execute too, behind the stage."""
        interface = operation.interface

        async def answer(request: Any, call: Call) -> Message:
            with self._counted(interface, self._admitted(interface, call.writer)):
                return await handler(request, call)

        return answer

    async def hold(self, fences: Iterable[tuple[str, int]]) -> None:
        """Takes fences, by interface: returns when they are on disk and what they keep out is over. Raises `Fault` JOURNAL."""
        some = tuple(fences)
        await self._owned.bar([Bar(f"{POST}{interface}", "", number) for interface, number in some])
        for interface, number in some:
            self._fences[interface] = max(number, self._fences.get(interface, 0))
        while any(of == interface and below < number for interface, number in some for of, below in self._inside):
            self._left.clear()
            await self._left.wait()
        self.held = max([self.held, *(number for _, number in some)])

    def _admitted(self, interface: str, said: str) -> int:
        """The number of the call's token. Raises `Fault` FENCED."""
        try:
            token = token_of(said)
        except ValueError:
            raise Fault(Reason.FENCED, "nobody says whose the write is") from None
        if token.owner != self._system:
            raise Fault(Reason.FENCED, "the write is another platform's")
        if token.number < self._fences.get(interface, 0):
            raise Fault(Reason.FENCED, f"its token is {token.number}, and {self._fences[interface]} was seen")
        return token.number

    @contextmanager
    def _counted(self, interface: str, number: int) -> Iterator[None]:
        self._inside[interface, number] += 1
        try:
            yield
        finally:
            self._inside[interface, number] -= 1
            if not self._inside[interface, number]:
                del self._inside[interface, number]
            self._left.set()
