"""One execution: a document is decoded, written again and translated, within a time and a memory; and what is wrong with how that went."""

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metip.faults import Fault
from tests.fuzz.declaring import Decoder

ROOT = Path(__file__).parents[2]
SECONDS = 2.0
"""Processor time that one execution may take; that of the wall would tell of the neighbours."""
DIFFERENCE = "reads another record from what it wrote, and would write that otherwise"


class TooSlowError(BaseException):
    """An execution took too long. No `Exception`, so that nobody catches it on the way."""


@dataclass(frozen=True)
class Problem:
    """What an execution came to that it should not. Two are the same when they have the same kind."""

    step: str
    """decode, encode, read again, translate."""
    kind: str
    """The exception and the last place of ours in its trace; no text, since that may repeat content."""
    trace: str


def attempt(decoder: Decoder, data: bytes) -> tuple[bool, Problem | None]:
    """Whether the decoder could read it, and what is wrong."""
    step = "decode"
    read = False
    try:
        with _limited():
            try:
                record = decoder.decode(data)
            except decoder.refuses:
                return False, None
            read = True
            if decoder.encode is not None:
                step = "encode"
                problem = _again(decoder, record)
                if problem is not None:
                    return True, problem
            if decoder.translate is not None:
                step = "translate"
                with suppress(*decoder.also, *((Fault,) if decoder.faults else ())):
                    decoder.translate(record)
    except (Exception, TooSlowError) as error:  # noqa: BLE001 - whatever it is, it is what we are looking for
        return read, Problem(step, _kind(error), "".join(traceback.format_exception(error)[-12:]))
    return read, None


def _again(decoder: Decoder, record: Any) -> Problem | None:
    assert decoder.encode is not None
    try:
        written = decoder.encode(record)
    except decoder.refuses:
        return None
    try:
        again = decoder.decode(written)
        same = again == record or decoder.encode(again) == written
    except decoder.refuses as error:
        return Problem("read again", _kind(error), "".join(traceback.format_exception(error)[-12:]))
    return None if same else Problem("read again", DIFFERENCE, f"{record!r}\n{written[:2000]!r}")


@contextmanager
def _limited() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def be_interrupted() -> None:
    """Has the timer end what takes too long; needed once in each process."""

    def end(number: int, frame: object) -> None:
        raise TooSlowError

    signal.signal(signal.SIGPROF, end)


def _kind(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if Path(one.filename).is_relative_to(ROOT) and "tests/fuzz" not in one.filename]
    last = ours[-1] if ours else frames[-1]
    path = Path(last.filename)
    return f"{type(error).__name__} at {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{last.name}:{last.lineno}"
