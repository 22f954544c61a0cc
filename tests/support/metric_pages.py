"""Reads metrics as Prometheus does: where processes say that they are, and what stands there."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Shown:
    """One sample."""

    name: str
    labels: dict[str, str]
    value: float


async def page(address: str, path: str = "/metrics") -> str:
    """What stands at an address, without the head. Raises `OSError`."""
    if address.startswith("unix:"):
        reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    data = await reader.read()
    writer.close()
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return body.decode()


async def pages(folder: Path) -> dict[str, str]:
    """The metrics of every process of a home, by the name of the process; of one that is gone, nothing."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        (target,) = json.loads(path.read_text())
        try:
            found[path.stem] = await page(target["targets"][0])
        except OSError:
            continue
    return found


def samples(text: str) -> Iterator[Shown]:
    """The samples of a page."""
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            yield Shown(one.name, dict(one.labels), one.value)
