"""Fencing tokens: which system a message or a write is for, where two platforms might have it, and how it tells that it is no longer.

The law: the number only grows, with every move. Whoever has seen a higher number for a key, or for all keys, refuses a lower one, so a
delivery that was held up on its way can't be executed after a move. A key travels as a digest, never in clear.
"""

from dataclasses import dataclass

HEADER = "x-metip-token"
"""On what the exchange hands over; the edge strips it from everybody else."""
WRITER_HEADER = "x-metip-writer"
"""On a call that writes where two systems could answer it: Envoy says whose it is by the route that it took, and nobody else may."""


@dataclass(frozen=True, slots=True)
class Token:
    """Whose a message is."""

    owner: str
    """A system."""
    number: int
    digest: str = ""
    """Of its ordering key, in hex; empty for a message without one."""

    @property
    def text(self) -> str:
        """As it travels."""
        return f"{self.owner} {self.number} {self.digest}".rstrip()


def token_of(text: str) -> Token:
    """Reads it. Raises `ValueError`."""
    owner, number, *digest = text.split(" ")
    if len(digest) > 1 or not owner:
        raise ValueError("a token is a system, a number and a digest")
    return Token(owner, int(number), bytes.fromhex(digest[0]).hex() if digest else "")
