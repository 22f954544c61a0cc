"""Records what adapters and their simulators say to one another while the system's recorded cases are played; those bytes are seeds.

It listens where all adapters' bytes pass: the kit's HTTP client, HTTP servers, files over SFTP and framed messages.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from adapter_rig import from_envoy
from aiohttp import web
from cases import case_files, play, read_case
from consulted import running_fleet

from adapters.kit import framing, http, sftp, streams
from adapters.kit.simulation.dials import Dial
from tests.fuzz.corpora import corpus

CASES, PATIENCE = 60, 5.0
"""At most so many cases of a system are played, and waited for; what was said by then is heard."""


async def record(systems: Sequence[str], told: Callable[[str], None], cases: int = CASES) -> dict[str, tuple[bytes, ...]]:
    """What passed while so many cases of each system were played, by system."""
    found: dict[str, tuple[bytes, ...]] = {}
    for system in systems:
        found[system] = await _recorded(system, cases) if corpus(system).recorded else ()
        told(f"{system}: {len(found[system])} documents recorded")
    return found


async def _recorded(system: str, cases: int) -> tuple[bytes, ...]:
    heard: dict[bytes, None] = {}
    every = [one for one in map(read_case, case_files((system,))) if not one.operation.delivery and not one.operation.server_streams]
    if len(every) > cases:  # those with faults take their time, and are the first to be left out
        every = [one for one in every if not one.faults]
    some = every[:: -(-len(every) // cases) or 1]
    with tempfile.TemporaryDirectory() as folder, _listening(lambda data: heard.setdefault(data)):
        async with running_fleet(system, Path(folder)) as fleet:
            for case in some:
                for name, faults in case.faults.items():
                    dials = fleet.rigs[name].dials
                    if dials is not None:
                        dials.set([Dial(one.dial, one.setting, one.share or 1.0, one.times) for one in faults])
                with suppress(TimeoutError):
                    await asyncio.wait_for(play(case, fleet.rig.channel, from_envoy()), PATIENCE)
                fleet.clear()
    return tuple(one for one in heard if one)


@contextmanager
def _listening(heard: Callable[[bytes], object]) -> Iterator[None]:
    """Hears what passes, for the length of the block."""

    def after(owner: Any, name: str, bytes_of: Callable[[Any, Mapping[str, Any], Any], Sequence[bytes]]) -> Any:
        real = getattr(owner, name)

        async def asked(*arguments: Any, **more: Any) -> Any:
            result = await real(*arguments, **more)
            for one in bytes_of(arguments, more, result):
                heard(bytes(one))
            return result

        def taken(*arguments: Any, **more: Any) -> Any:
            result = real(*arguments, **more)
            for one in bytes_of(arguments, more, result):
                heard(bytes(one))
            return result

        setattr(owner, name, asked if asyncio.iscoroutinefunction(real) else taken)
        return real

    taps: list[tuple[Any, str, Callable[[Any, Mapping[str, Any], Any], Sequence[bytes]]]] = [
        (http.HttpClient, "exchange", lambda said, more, result: (result.body, more.get("data", b""))),
        (web.BaseRequest, "read", lambda said, more, result: (result,)),
        (sftp.SftpClient, "read", lambda said, more, result: (result,)),
        (sftp.SftpClient, "put", lambda said, more, result: (said[3],)),
        (framing.Deframer, "take", lambda said, more, result: (result or b"",)),
        (streams.Stream, "read", lambda said, more, result: (result,)),
        (streams.Stream, "write", lambda said, more, result: (said[1],)),
    ]
    real = [(owner, name, after(owner, name, bytes_of)) for owner, name, bytes_of in taps]
    try:
        yield
    finally:
        for owner, name, method in real:
            setattr(owner, name, method)
