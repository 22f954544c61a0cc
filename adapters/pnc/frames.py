"""Messages in a TCP stream: four bytes of length, most significant first, then the message (assumed).

How the PNC's own line delimits messages is not public. Everything that depends on the guess is in this file.
"""

from typing import Final

from adapters.pnc.wire import MAX_MESSAGE, Reason, WireError

PREFIX: Final = 4


def frame(message: bytes) -> bytes:
    """The message with its length before it. Raises `WireError` for one that is empty or over `MAX_MESSAGE`."""
    _check(len(message), MAX_MESSAGE)
    return len(message).to_bytes(PREFIX) + message


class Deframer:
    """Takes a byte stream as it comes and gives messages whole; one for each session.

    After a `WireError` nobody knows where the next message begins: close the session.
    """

    def __init__(self, limit: int = MAX_MESSAGE) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """Adds what was received."""
        self._held += data

    def take(self) -> bytes | None:
        """The next message, or `None` until more of it is fed.

        Raises `WireError` for an empty or too large frame as soon as its length is known.
        """
        if len(self._held) < PREFIX:
            return None
        length = int.from_bytes(self._held[:PREFIX])
        _check(length, self._limit)
        end = PREFIX + length
        if len(self._held) < end:
            return None
        message = bytes(self._held[PREFIX:end])
        del self._held[:end]
        return message

    def end(self) -> None:
        """Tells that the stream has ended. Raises `WireError` if it ended inside a message."""
        if self._held:
            raise WireError(Reason.TRUNCATED, offset=len(self._held))


def _check(length: int, limit: int) -> None:
    if length == 0:
        raise WireError(Reason.EMPTY_FRAME)
    if length > limit:
        raise WireError(Reason.TOO_LARGE, offset=limit)
