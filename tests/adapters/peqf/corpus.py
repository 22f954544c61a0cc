"""What is fuzzed of the learning partner's files: manifests, each kind of CSV, and the messages that rows make."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from adapters.kit.drops import CSV
from adapters.kit.outcomes import code_of
from adapters.kit.population import Population
from adapters.kit.simulation import Dials
from adapters.kit.tables import Damaged, Incomplete, Manifest, Rejection, check, decode, decode_all, encode, manifest_of, read_manifest
from adapters.peqf import simulator, translate
from adapters.peqf.records import Enrolled, Enrolment, Finding, Progress
from tests.fuzz.declaring import Decoder

NAME, SCHEMA = "PRG_LP01_20261101_0001", "2"
AT = datetime(2026, 11, 1, 10, tzinfo=UTC)
VERSIONS = ("1", "2026-11", "x")


@cache
def rows() -> dict[type[Any], list[Any]]:
    """Rows of each kind as the simulated partner makes them."""
    partner = simulator.Simulator(Population(2026), Dials(simulator.DIALS, seed=1))
    roster = [simulator.enrolled(one) for one in partner.learners[:40]]
    told = [row for one in partner.learners[:20] for row in partner._told(one)]
    enrolments = [
        Enrolment(learner_id=one.learner_id, cohort=one.cohort, route=one.route, surname=one.surname, reference="r", version=1, change="N")
        for one in roster
    ]
    findings = [Finding(file=NAME + CSV, rows=12, accepted=10, rejected=2), Finding(file="x", difference="NOT_STATED")]
    rejections = [Rejection(row=3, column="cohort", code="COHORT_MOVED"), Rejection(row=0, code="SCHEMA_UNKNOWN")]
    return {Enrolled: roster, Progress: told, Enrolment: enrolments, Finding: findings, Rejection: rejections}


def _seeds(kind: type[Any]) -> Callable[[], Iterable[bytes]]:
    return lambda: [encode(some, kind) for some in (rows()[kind], rows()[kind][:2], rows()[kind][3:4], [])]


def translated(kind: type[Any], found: list[Any]) -> object:
    """What the adapter makes of the rows that could be read."""
    if kind is Progress:
        roster = {one.learner_id: one for one in rows()[Enrolled]}
        return [(list(translate.problems(row, roster, {})), translate.progress(row, version)) for row in found for version in VERSIONS]
    if kind is Enrolled:
        return [translate.learner(row, version) for row in found for version in VERSIONS]
    return [code_of(f"{one.column}_{one.code}".strip("_")) for one in found] if kind is Rejection else None


def _decoder(kind: type[Any]) -> Decoder:
    return Decoder(
        name=kind.__name__,
        decode=lambda data: list(decode(data, kind)[0].values()),
        refuses=(Damaged,),
        seeds=_seeds(kind),
        encode=lambda found: encode(found, kind),
        translate=lambda found: translated(kind, found),
        faults=False,
    )


def whole(data: bytes) -> Manifest:
    """The manifest, as it is read before its file, and compared with one."""
    told = read_manifest(data, NAME + CSV, SCHEMA)
    with suppress(Incomplete, Damaged):
        check(told, b"learner_id\r\n1\r\n")
    return told


DECODERS = (
    *map(_decoder, (Progress, Enrolled, Enrolment, Finding, Rejection)),
    Decoder(
        name="manifest",
        decode=whole,
        refuses=(Incomplete, Damaged),
        seeds=lambda: [manifest_of(NAME + CSV, b"x", rows=1, schema=SCHEMA, code_set="1", created=AT)],
        encode=lambda told: encode([told], Manifest),
    ),
    Decoder(name="all rows", decode=lambda data: decode_all(data, Rejection), refuses=(Damaged,), seeds=_seeds(Rejection)),
)
