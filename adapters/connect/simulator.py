"""A stand-in for CONNECT on its own wire: REST with tokens, versions and webhooks, over the shared population, and dials."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from secrets import token_hex

from adapters.connect import wire
from adapters.connect.codes import PATHS
from adapters.connect.records import Tree
from adapters.connect.simulated.register import Register
from adapters.kit.population import Population
from adapters.kit.simulation import Dials, Http, HttpReply, HttpRequest
from adapters.kit.simulation.rest import REST_DIALS, Refusal, RestFace, reply
from adapters.kit.simulation.ringing import RINGING_DIALS, Bells, Ringing

DIALS: Mapping[str, str] = {
    **REST_DIALS,
    **RINGING_DIALS,
    "stale": "somebody saves the record just before it is changed",
    "merge": "somebody merges the record that is asked for into the one that is set, N0000000010 when nothing is, just before it answers",
    "unmerge": "somebody takes a merged record apart again just before it answers",
    "meaning": "has recorded sections under another version of their meaning, 3.0.0 when nothing is set",
    "tells_apart": "tells a restricted record from an id that no record has, as it should not",
    "cursor_expired": "no longer knows the cursor of a search",
    "no_tag": "leaves the entity tag out",
}
LETTERS = {path: letter for letter, path in PATHS.items()}


class Simulator:
    """One CONNECT; what is changed stays in memory."""

    def __init__(self, population: Population, dials: Dials, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.register = Register(population, clock)
        self.bells = Bells(self.register.feed, wire.SEALED, dials, self.register.save_elsewhere)
        self._face = RestFace(dials, wire.TOKEN_PATH, "urn:x-connect:problem", self._answer)
        self.transport = Ringing(Http(self._face.answer), self.bells)
        self._dials, self._clock = dials, clock
        self._cursors: dict[str, int] = {}

    def _answer(self, request: HttpRequest, body: Tree) -> HttpReply:
        what, *rest = request.path.removeprefix(f"{wire.BASE}/").split("/")
        if what in LETTERS:
            return self._records(LETTERS[what], rest, body, request)
        self._dials.exchanges[what] += 1
        if what == "subscriptions":
            self.bells.subscribe(body["url"], body["key"])
            return reply({})
        if self._dials.strike("feed_forgets") is not None:
            self.register.feed.oldest = len(self.register.feed.items)
        return reply(self.register.feed.part(request.query.get("after", ""), int(request.query["limit"])))

    def _records(self, letter: str, rest: list[str], body: Tree, request: HttpRequest) -> HttpReply:
        cleared = request.headers.get(wire.NEED_TO_KNOW) == "1"
        match request.method, rest:
            case "POST", ["search"]:
                self._dials.exchanges["search"] += 1
                return self._search(letter, body, request.query, cleared)
            case "POST", ["lookup"]:
                return self._given(lambda: self.register.see(self.register.custody.get(body["reference"], "C0000000000"), cleared))
            case "GET", [entity_id]:
                if (into := self._dials.strike("merge")) is not None:
                    self.register.merge(entity_id, into or "N0000000010")
                if self._dials.strike("unmerge") is not None:
                    self.register.unmerge(entity_id)
                return self._given(lambda: self.register.see(entity_id, cleared))
            case "POST", []:
                return self._once("create", request, lambda: self.register.make(letter, body, cleared))
            case "POST", [entity_id, "links"]:
                if self._dials.strike("stale") is not None:
                    self.register.save_elsewhere(entity_id)
                tag = request.headers.get("If-Match", "")
                return self._once("link", request, lambda: self.register.link(entity_id, tag, body, cleared))
        raise Refusal(405, "no-such-method")

    def _search(self, letter: str, body: Tree, query: Mapping[str, str], cleared: bool) -> HttpReply:
        if self._dials.strike("cursor_expired") is not None:
            self._cursors.clear()
        if (cursor := query.get("cursor", "")) not in {"", *self._cursors}:
            raise Refusal(410, "cursor-expired")
        items, start = self.register.search(letter, body, min(int(query["limit"]), 100), self._cursors.get(cursor, 0), cleared)
        following = token_hex(8) if start else ""
        self._cursors[following] = start
        return reply({"items": [self._meant(one) for one in items], "next": following, "asAt": self._clock()})

    def _given(self, see: Callable[[], Tree]) -> HttpReply:
        self._dials.exchanges["get"] += 1
        try:
            record = see()
        except Refusal as refusal:
            if refusal.status == 404 and self._dials.strike("tells_apart") is None:
                raise Refusal(403, "restricted") from None
            raise
        tag = "" if self._dials.strike("no_tag") is not None else wire.tag_of(record["version"])
        return reply(self._meant({**record, "version": 0}), ETag=tag)

    def _meant(self, record: Tree) -> Tree:
        version = self._dials.strike("meaning")
        if version is None:
            return record
        sections = {name: {**section, "semanticVersion": version or "3.0.0"} for name, section in record["sections"].items()}
        return {**record, "sections": sections}

    def _once(self, name: str, request: HttpRequest, do: Callable[[], Tree]) -> HttpReply:
        self._dials.exchanges[name] += 1
        record, before = self._face.once(request.headers.get(wire.IDEMPOTENCY_KEY, ""), request.body, do)
        tag, replayed = wire.tag_of(record["version"]), "true" if before else ""
        return reply({"id": record["id"], "asAt": self._clock()}, 200 if before else 201, ETag=tag, Idempotency_Replayed=replayed)
