"""Hears everything that the suite's processes say, and fails the session where an invented person stands in it in clear.

Heard: texts, metadata and fields of every fault, lines of every log, errors as callers get them, what commands print, Envoy's counters; at
the end every file under a home of a mesh, and every log elsewhere. `leaks` says what is found.
"""

import functools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from leaks import Leak, leaks_of, leaks_of_home

import metip.faults
import metip.logs
from metip.identifiers import PARSERS

EXISTS: Final = "ALREADY_EXISTS"
"""A refusal whose metadata names the record that is there already: that is the answer which the caller is to use."""
LEAKS: Final = pytest.StashKey[list[Leak]]()
MANY: Final = 10_000
"""Texts of one place that are kept at most."""
OF_WORKER: Final = "personal data in clear"
SHOWS_PERSONAL: Final = {
    "grpcurl": "prints the request of a recorded case for pasting: what the caller gives, not what a system answered",
    "--unmask": "shows what is personal on purpose, and leaves a record",
    "--keys": "shows ordering keys on purpose",
}
"""Words of commands whose output is not judged, and why."""


class Watch:
    """What was heard, by where."""

    def __init__(self) -> None:
        self.heard: dict[str, set[bytes]] = defaultdict(set)
        self.found: set[Leak] = set()
        """What leaked out of texts that were judged on the way, since there were many."""
        self.base: Path | None = None
        """The folder under which every test of the session has its files."""
        self.seconds = self.spent = 0.0
        """How long the search took, here and in the slowest worker."""

    def hear(self, what: str, *texts: object) -> None:
        """Keeps texts to be judged at the end; `what` says what they are, to which the test is added."""
        place = os.environ.get("PYTEST_CURRENT_TEST", "").partition("[")[0].partition(" ")[0]
        where = f"{what} ({place})"
        heard = self.heard[where]
        heard.update(str(text).encode() if not isinstance(text, bytes) else text for text in texts if text)
        if len(heard) > MANY:
            self.found.update(leaks_of(where, b"\n".join(heard)))
            heard.clear()

    def leaks(self) -> Iterator[Leak]:
        """Everything that leaked."""
        began = time.monotonic()
        yield from self.found
        for where, texts in self.heard.items():
            yield from leaks_of(where, b"\n".join(texts))
        if self.base is not None:
            homes = sorted({path.parent for name in ("hub.yaml", "processes.json") for path in self.base.rglob(name)})
            for home in homes:
                yield from (Leak(str(home.relative_to(self.base) / one.where), one.kind) for one in leaks_of_home(home))
            for path in self.base.rglob("*.log"):
                if path.is_file() and not any(path.is_relative_to(home) for home in homes):
                    yield from leaks_of(str(path.relative_to(self.base)), path.read_bytes())
        self.seconds = time.monotonic() - began


WATCH: Final = Watch()


def _told(original: Callable[..., Any], tell: Callable[..., None]) -> Callable[..., Any]:
    @functools.wraps(original)
    def telling(*arguments: Any, **named: Any) -> Any:
        tell(*arguments, **named)
        return original(*arguments, **named)

    return telling


def listen() -> None:
    """Hears faults, logs and errors of this process from now on; before any module takes them by name."""

    def fault(one: Any, *, system: str, call_id: str) -> None:
        fields = [text for pair in one.fields for text in pair]
        told = [word for pair in one.metadata.items() if not (one.reason.name == EXISTS and pair[0] in PARSERS) for word in pair]
        WATCH.hear(f"fault {one.reason.name} of {system}", one.text, *told, *fields)

    def error(_error: Any, code: Any, _initial: Any, trailing: Any, details: Any = None, **_rest: Any) -> None:
        told = [value for _, value in trailing or ()] if code.name != EXISTS else []
        WATCH.hear(f"error {code.name} at a caller", details, *told)

    metip.faults.status_of = _told(metip.faults.status_of, fault)
    metip.logs.Log.line = _told(metip.logs.Log.line, _line)  # type: ignore[method-assign]
    metip.logs.Log._put = _told(metip.logs.Log._put, lambda _, text: WATCH.hear("log", text))  # type: ignore[method-assign]
    grpc.aio.AioRpcError.__init__ = _told(grpc.aio.AioRpcError.__init__, error)  # type: ignore[method-assign]


def _line(_log: Any, event: str, **values: Any) -> None:
    WATCH.hear(f"log line {event}", " ".join(f"{name}={value}" for name, value in values.items()))


def printed(command: list[str], *outputs: str) -> None:
    """Hears what a command of `metip` printed; what others print, such as curl, is an answer to a consumer."""
    if "hub.cli" in command and not any(word in part for part in command for word in SHOWS_PERSONAL):
        WATCH.hear(f"output of {' '.join(command[3:5])}", *outputs)


@pytest.fixture(scope="session", autouse=True)
def _where_files_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    WATCH.base = tmp_path_factory.getbasetemp()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the session for what leaked."""
    found = sorted({*WATCH.leaks(), *session.config.stash.get(LEAKS, [])})
    session.config.stash[LEAKS] = found
    told: Any = getattr(session.config, "workeroutput", None)
    if told is not None:  # a worker of a session that is shared out tells the one that shares
        told[OF_WORKER] = [WATCH.seconds, *((one.where, one.kind) for one in found)]
    elif found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Takes what a worker found; one that broke off found nothing, and has failed anyway."""
    del error
    seconds, *found = getattr(node, "workeroutput", {}).get(OF_WORKER, [0.0])
    WATCH.spent = max(WATCH.spent, seconds)
    node.config.stash[LEAKS] = [*node.config.stash.get(LEAKS, []), *(Leak(where, kind) for where, kind in found)]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says what leaked: where and of which kind, never the value."""
    found = config.stash.get(LEAKS, [])
    if found:
        terminalreporter.section("personal data in clear")
        for leak in found:
            terminalreporter.write_line(str(leak))
    seconds = max(WATCH.seconds, WATCH.spent)
    if seconds > 1:
        terminalreporter.write_line(f"looked for personal data in clear in {seconds:.1f} s")
