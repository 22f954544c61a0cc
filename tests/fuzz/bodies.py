"""What decoders of SOAP have in common: the element in a body, and the fault that stands there instead."""

from collections.abc import Callable
from typing import Any, TypeVar

from adapters.kit.soap import Element, SoapError, SoapFault, envelope, open_envelope

R = TypeVar("R")
REFUSES = (SoapError, SoapFault)


def inside(read: Callable[[Element], R]) -> Callable[[bytes], R]:
    """Reads the element in the body of an envelope."""
    return lambda data: read(open_envelope(data))


def around(write: Callable[[Any], Element], encoding: str = "UTF-8") -> Callable[[Any], bytes]:
    """Writes a record into the body of an envelope."""
    return lambda record: envelope(write(record), encoding=encoding)


def fault(data: bytes) -> SoapFault:
    """The fault in an envelope. Raises `SoapError` for one that has none."""
    try:
        open_envelope(data)
    except SoapFault as said:
        return said
    raise SoapError("no fault")
