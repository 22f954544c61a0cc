"""Ports on 127.0.0.1 for processes that must be told theirs before they start.

They lie below those that the system gives to whoever asks for any (32,768 and up), so that no connection or listener of another test takes
one in the moment before its process does; each worker has its own thousands, and begins somewhere in them.
"""

import os
import socket
from itertools import count
from typing import Final

FIRST: Final = 20_000
EACH, WORKERS = 3_000, 4
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_places = count(os.getpid())


def free_ports(number: int) -> list[int]:
    """So many ports that nobody listens on, all different, and none that was given before in this process until all were."""
    found: list[int] = []
    while len(found) < number:
        port = FIRST + _worker * EACH + next(_places) % EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port that was used a moment ago is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found
