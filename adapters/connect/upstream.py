"""The way to CONNECT: REST over HTTPS, and the one place where its problems become faults.

The law: an officer without a need to know is told the same, to the letter, of a restricted record and of an id that no record has; and a
page of a search is full unless nothing follows that the officer may see. Should a release of CONNECT forget the first, this does not.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

from adapters.connect import codes, layout, wire
from adapters.connect.records import Changes, Page, Refused, Tree
from adapters.kit import Call, Fault, Limits, Reason
from adapters.kit.errands import errand
from adapters.kit.paging import full_page
from adapters.kit.rest import Client, RefusedError, RestClient
from metip.connect.v1.investigation_pb2 import WorkflowStep
from metip.connect.v1.settings_pb2 import Settings
from metip.logs import Log

R = TypeVar("R")
Asker = Mapping[str, str]
CLIENT_ID, PAGE, CHANGES_AT_ONCE, WITHIN = "metip-hub", 20, "200", 20.0
MERGED, NOT_FOUND, RESTRICTED, SUPERSEDED = "merged", "not-found", "restricted", "superseded"
PROBLEMS: Mapping[str, tuple[Reason, str]] = {
    RESTRICTED: (Reason.RESTRICTED, "no such record is open to this officer"),
    NOT_FOUND: (Reason.NO_TRACE, "there is no such record"),
    "stale-version": (Reason.CONFLICT, "the record has another version by now"),
    SUPERSEDED: (Reason.CONFLICT, "a later version of the record is held"),
    MERGED: (Reason.PRECONDITION, "the record was merged into another one"),
    "step-missing": (Reason.PRECONDITION, "a step that must come first was not taken"),
    "cursor-expired": (Reason.PRECONDITION, "the page token is too old"),
    "feed-token-expired": (Reason.PRECONDITION, "changes after that token are no longer kept"),
    "key-reused": (Reason.INVALID_REQUEST, "that command was used for another content"),
    "invalid": (Reason.INVALID_REQUEST, "the far system refused fields"),
}
"""CONNECT's problem types (assumed). Their words stay behind: they may repeat what was sent."""


class Connect:
    """Asks CONNECT; every answer is a record, every refusal a `Fault`."""

    def __init__(self, rest: RestClient[Refused], client_id: str) -> None:
        self._rest, self._client_id = rest, client_id

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Settings, log: Log) -> AsyncIterator[Self]:
        """The way to CONNECT for the length of the block. Raises `SettingsError`."""
        limits, client_id = Limits.of(settings.upstream), settings.client_id or CLIENT_ID
        client = Client(token_path=wire.TOKEN_PATH, client_id=client_id, secret_file=settings.client_secret_file)
        async with RestClient.connected(limits, log, client, Refused, authority_file=settings.authority_file) as rest:
            yield cls(rest, client_id)

    async def search(self, kind: str, criteria: Tree, size: int, cursor: str, asker: Asker, call: Call) -> Page:
        """A page of what fits, full unless it is the last. Raises `Fault` NO_TRACE when there is nothing."""
        as_at = ""

        async def ask(most: int, after: str) -> Page:
            nonlocal as_at
            query = {"limit": str(most), **({"cursor": after} if after else {})}
            page, _ = await self._ask(Page, "POST", f"{wire.collection(kind)}/search", asker, call, body=criteria, query=query)
            as_at = as_at or page.as_at
            return page

        full = await full_page(ask, size or PAGE, cursor)
        if not full.items:
            raise Fault(Reason.NO_TRACE, PROBLEMS[NOT_FOUND][1])
        return Page(items=full.items, next=full.next, as_at=as_at)

    async def get(self, name: str, asker: Asker, call: Call) -> Tree | Refused:
        """The record of an id, or of a custody record number; or where it went."""
        by_id = layout.ID_FORM.fullmatch(name) is not None
        path, body = (wire.path_of(name), None) if by_id else (f"{wire.collection('C')}/lookup", {"reference": name})
        try:
            return await self._versioned("GET" if by_id else "POST", path, asker, call, body)
        except Fault as fault:
            problem = getattr(fault.__cause__, "problem", None)
            if isinstance(problem, Refused) and problem.name == MERGED:
                return problem
            raise

    async def create(self, kind: str, record: Tree, key: str, asker: Asker, call: Call) -> Tree:
        """Makes a record; the same key again gives the first answer."""
        return await self._versioned("POST", wire.collection(kind), {**asker, wire.IDEMPOTENCY_KEY: key}, call, record)

    async def link(self, entity_id: str, version: int, link: Tree, key: str, asker: Asker, call: Call) -> Tree:
        """Ties a record to another, if it has that version still; the same key again gives the first answer."""
        headers = {**asker, wire.IDEMPOTENCY_KEY: key, "If-Match": wire.tag_of(version)}
        return await self._versioned("POST", f"{wire.path_of(entity_id)}/links", headers, call, link)

    async def changes(self, after: str) -> Changes:
        """What comes after a token of the change feed. Raises `Fault` PRECONDITION when the token is too old."""
        query, call = {"limit": CHANGES_AT_ONCE, **({"after": after} if after else {})}, errand("read_changes", within=WITHIN)
        return (await self._ask(Changes, "GET", wire.CHANGES_PATH, {}, call, query=query))[0]

    async def subscribe(self, url: str, key: str) -> None:
        """Has webhooks sent there, signed with that key; it replaces what was said before."""
        path, call = f"{wire.SUBSCRIPTIONS_PATH}/{self._client_id}", errand("subscribe", within=WITHIN)
        await self._ask(dict, "PUT", path, {}, call, body={"url": url, "key": key})

    async def _versioned(self, method: str, path: str, headers: Asker, call: Call, body: Tree | None = None) -> Tree:
        """A document with what the headers say of it: its version, and whether it answers a repetition."""
        tree, came = await self._ask(dict, method, path, headers, call, body=body)
        try:
            version = wire.version_of(came.get("ETag", ""))
        except wire.WireError as error:
            raise Fault(Reason.UPSTREAM_FAULT, f"the far system answered something else: {error}") from None
        return {**tree, "version": version, "replayed": came.get(wire.REPLAYED) == "true"}

    async def _ask(self, kind: type[R], method: str, path: str, headers: Asker, call: Call, **more: Any) -> tuple[R, Mapping[str, str]]:
        try:
            return await self._rest.document(kind, method, path, call, headers=headers, **more)
        except RefusedError as refused:
            raise _fault(refused.problem, refused.status, headers) from refused


def _fault(problem: Refused, status: int, asker: Asker) -> Fault:
    name = RESTRICTED if problem.name == NOT_FOUND and wire.NEED_TO_KNOW not in asker else problem.name
    if name not in PROBLEMS:
        return Fault(Reason.UPSTREAM_FAULT, "the far system failed", metadata={"code": str(status)})
    reason, text = PROBLEMS[name]
    metadata = {"code": name}
    if problem.step in codes.STEP:
        metadata["step"] = WorkflowStep.Name(codes.STEP[problem.step])  # type: ignore[arg-type]  # a table of numbers
    fields = tuple((layout.FIELDS.get(one.pointer, ""), "the far system refused it") for one in problem.errors)
    return Fault(reason, text, metadata, fields if reason is Reason.INVALID_REQUEST else ())
