"""The contracts that a command works with, and their operations by the names that people type."""

from datetime import date
from pathlib import Path

import hub.contracts
from hub.cli.options import Problem
from hub.contracts import Contracts, Operation
from hub.contracts.messages import Messages

__all__ = ["Messages", "contracts", "installed", "operation_named", "operations"]


def installed() -> Messages:
    """The messages of the contracts that this installation was built with. Raises `Problem` when there are none."""
    return Messages(contracts())


def contracts(path: Path | None = None) -> Contracts:
    """The contracts installed, or those of another descriptor set. Raises `Problem` when they can't be read."""
    from google.protobuf.message import DecodeError

    today = date.today()  # noqa: DTZ011 - an assessment is due by the local calendar
    try:
        return hub.contracts.load(today, descriptor_set=path.read_bytes() if path else None)
    except FileNotFoundError:
        if path:
            raise Problem(f"{path} does not exist", "make it with `protoc --include_imports --descriptor_set_out`") from None
        raise Problem("the contracts were never compiled", "run: make gen") from None
    except (DecodeError, OSError):
        raise Problem(f"{path} is not a descriptor set", "make it with `protoc --include_imports --descriptor_set_out`") from None


def operations(known: Contracts) -> dict[str, Operation]:
    """Operations that are on the mesh, by full name."""
    return {one.name: one for interface in known.interfaces if not interface.private for one in interface.operations}


def operation_named(text: str, known: Contracts) -> Operation:
    """The operation of that name: full, or its end as far as it is unique (`ExampleService/GetExample`, `GetExample`).

    Raises `Problem` that lists what was meant, or might have been.
    """
    on_mesh = operations(known)
    wanted = text.strip().lstrip("/")
    head, dot, tail = wanted.rpartition(".")
    if dot and "/" not in wanted and f"{head}/{tail}" in on_mesh:
        wanted = f"{head}/{tail}"  # as grpcurl and stubs also write it
    if wanted in on_mesh:
        return on_mesh[wanted]
    found = [one for name, one in on_mesh.items() if f"/{name}".replace(".", "/").casefold().endswith(f"/{_slashed(wanted)}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise Problem(f"{text} is not one operation but {len(found)}", f"say which: {', '.join(one.name for one in found)}")
    from difflib import get_close_matches

    ends = {name.rpartition("/")[2]: name for name in on_mesh}
    close = [ends[end] for end in get_close_matches(wanted.rpartition("/")[2], ends, n=3)]
    faulty = [fault for fault in known.faults if fault.element.endswith(wanted)]
    if faulty:
        raise Problem(f"{faulty[0].element} does not load: it {faulty[0].problem}", faulty[0].fix)
    raise Problem(
        f"no operation {text} is loaded", f"did you mean {' or '.join(close)}?" if close else "`metip explain` lists all operations"
    )


def _slashed(text: str) -> str:
    return text.replace(".", "/").casefold()
