"""What grants permit, as Envoy says it of each operation: written by the hub, read by whoever answers, in the header `x-metip-purposes`.

Envoy has already judged consumer, token and role; the purpose is in the request's body, so the last word is the reader's. The text has no
trust domain, since Envoy lets in no consumer of another one:

    *                                                      whoever was let in may state every purpose that the operation permits
    4,5||consumer/tablet                                   the tablet may state purposes 4 and 5
    *|detective,sergeant|consumer/desk,consumer/portal     with one of these roles these two may state every one

Parts are joined by `;`, and what several give together is given. Purposes are numbers of `metip.options.v1.Purpose`.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

PURPOSES_HEADER: Final = "x-metip-purposes"
EVERY: Final = "*"
LONGEST: Final = 4096
"""Bytes that the text may have: gRPC takes 8 KiB of metadata for sure, and the officer's token is among it."""

Part = tuple[frozenset[int] | None, tuple[str, ...], tuple[str, ...]]
"""Purposes (None for every one), roles (none for any), consumers by SPIFFE ID."""


def written(parts: Iterable[Part]) -> str:
    """The text of the grants of one operation: `*` where each of them gives every purpose, nothing where there are none."""
    found = list(parts)
    if found and all(purposes is None for purposes, _, _ in found):
        return EVERY
    return ";".join(
        f"{EVERY if purposes is None else ','.join(map(str, sorted(purposes)))}|{','.join(roles)}|{','.join(map(_path, consumers))}"
        for purposes, roles, consumers in found
    )


@lru_cache(maxsize=4096)
def granted(text: str, consumer: str, roles: tuple[str, ...]) -> frozenset[int] | None:
    """The purposes that a consumer may state in those roles; None for every one that the operation permits. A text that can't be read
    gives none."""
    if text == EVERY:
        return None
    path, found = _path(consumer), set[int]()
    for part in text.split(";"):
        purposes, _, rest = part.partition("|")
        demanded, _, consumers = rest.partition("|")
        if path not in consumers.split(",") or (demanded and not set(demanded.split(",")) & set(roles)):
            continue
        if purposes == EVERY:
            return None
        found |= {int(one) for one in purposes.split(",") if one.isdecimal()}
    return frozenset(found)


def _path(spiffe_id: str) -> str:
    return spiffe_id.removeprefix("spiffe://").partition("/")[2]
