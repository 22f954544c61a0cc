"""What a system declares of its decoders, in `tests/adapters/<system>/corpus.py`.

Such a module has `DECODERS`, one for each reader of bytes that come from elsewhere: the far side's, and on a side that listens also the
caller's. It may have `RECORDED = False`, where playing the system's cases would show none of these bytes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


def _none() -> Iterable[bytes]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """One reader of bytes, and what has to hold for whatever it is given."""

    name: str
    decode: Callable[[bytes], Any]
    refuses: tuple[type[Exception], ...]
    """By which it may refuse; anything else that it raises is a finding."""
    seeds: Callable[[], Iterable[bytes]] = _none
    """Real documents, beside those among the recorded exchanges that it reads."""
    encode: Callable[[Any], bytes] | None = None
    """Writes again what was read. It may refuse by `refuses` too. What it writes must be read as the same record, or as one that is written
    alike: white space, say, may be lost once."""
    translate: Callable[[Any], object] | None = None
    """Turns what was read into the contract's message."""
    faults: bool = True
    """Whether translation may refuse by a `Fault`. What nobody asked for has nobody to tell, so that its reader needs another way."""
    also: tuple[type[Exception], ...] = ()
    """By which else translation may refuse, where whoever calls it expects that."""
