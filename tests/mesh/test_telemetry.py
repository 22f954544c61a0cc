"""What the processes of a whole estate show: every metric that is listed, with labels that were declared, and nobody in them."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest
from leaks import leaks_of
from mesh_rig import MeshRig, until
from metric_pages import Shown, pages, samples
from samples import query, send

from hub.cli.messages import installed
from hub.contracts import reviews_due
from metip.telemetry import families
from metip.telemetry.families import FAMILIES, Kind
from metip.telemetry.samples import OTHER

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTRACTS = installed().contracts
CASE = query()
ONLY_THEN = {
    families.SPANS: "with a collector of traces",
    families.FOLDED: "once somebody sent what nobody declared",
    families.REVIEW_DAYS: "when an assessment is due soon",
    families.SAMPLES: "once calls are sampled",
    families.COMPARED: "once an interface is compared",
    families.DIFFERING: "once an interface is compared",
    families.PARITY: "once an interface is compared",
    families.ATTEMPTS: "once an attempt ended",
    families.FAILURES: "once an attempt failed",
}
"""Metrics that an estate at rest need not show."""


async def shown(mesh: MeshRig) -> dict[str, list[Shown]]:
    """Every sample of every process."""
    return {process: list(samples(text)) for process, text in (await pages(mesh.home.metrics)).items()}


def bare(name: str) -> str:
    """The metric of a series."""
    for end in ("_bucket", "_sum", "_count"):
        family = FAMILIES.get(name.removesuffix(end))
        if name.endswith(end) and family is not None and family.kind is Kind.HISTOGRAM:
            return family.name
    return name


async def test_every_process_shows_its_metrics_and_all_that_are_listed_are_shown(mesh: MeshRig) -> None:
    channel = mesh.channel()
    await send(mesh, CASE, channel)
    found = await shown(mesh)
    assert found.keys() == {"hub", *(f"adapter-{one}-0" for one in _adapters(mesh))}
    names = {bare(one.name) for those in found.values() for one in those}
    ours = {name for name in names if name.startswith("metip_")}
    assert ours <= FAMILIES.keys()
    assert FAMILIES.keys() - ours <= {one.name for one in ONLY_THEN}


async def test_labels_are_words_that_were_declared(mesh: MeshRig) -> None:
    operations, subscriptions = set(CONTRACTS.operations), {one.name for one in CONTRACTS.subscriptions}
    interfaces = {one.name for one in CONTRACTS.interfaces}
    for process, those in (await shown(mesh)).items():
        for one in those:
            family = FAMILIES.get(bare(one.name))
            if family is None:
                continue
            assert set(one.labels) - {"le"} == set(family.labels), one
            assert one.labels.get("operation", OTHER) in operations | {OTHER}
            assert one.labels.get("subscription", OTHER) in subscriptions | {OTHER}
            assert one.labels.get("interface", OTHER) in interfaces | {OTHER} or "back_end" in one.labels["interface"]
        folded = [one for one in those if one.name == "metip_telemetry_other_total" and one.value]
        assert folded == [], f"{process}: what is in the contracts and settings of this estate is declared"
        failed = [one for one in those if one.name == "metip_telemetry_source_failed_total" and one.value]
        assert failed == [], process


async def test_nothing_personal_is_in_any_of_them(mesh: MeshRig) -> None:
    await send(mesh, CASE, mesh.channel())
    for process, text in (await pages(mesh.home.metrics)).items():
        assert list(leaks_of(f"metrics of {process}", text.encode())) == []


async def test_a_call_is_counted_at_the_edge_at_the_adapter_and_at_the_far_system(mesh: MeshRig) -> None:
    adapter, name = f"adapter-{CASE.system}-0", CASE.operation.name

    async def counted() -> tuple[float, float, float, float]:
        those = await shown(mesh)
        edge = _value(those["hub"], "metip_edge_calls_total", operation=name, status="OK")
        calls = _value(those[adapter], "metip_operation_calls_total", operation=name, outcome="OK")
        took = _value(those[adapter], "metip_operation_seconds_count", operation=name)
        return edge, calls, took, _value(those[adapter], "metip_upstream_seconds_count", system=CASE.system)

    before = await counted()
    for _ in range(3):
        await send(mesh, CASE, mesh.channel())
    after = await counted()
    assert [new - old for new, old in zip(after, before, strict=True)][:3] == [3, 3, 3]
    assert after[3] - before[3] >= 3


async def test_a_refused_call_is_counted_by_its_reason(mesh: MeshRig) -> None:
    adapter, labels = f"adapter-{CASE.system}-0", {"operation": CASE.operation.name, "outcome": "MALFORMED"}
    before = _value((await shown(mesh))[adapter], "metip_operation_calls_total", **labels)
    call: Any = mesh.channel().unary_unary(CASE.operation.path)
    with pytest.raises(grpc.aio.AioRpcError):
        await call(b"\xff\xff", timeout=10, metadata=mesh.token())
    assert _value((await shown(mesh))[adapter], "metip_operation_calls_total", **labels) == before + 1


async def test_backlogs_the_ledger_and_the_mesh_are_what_the_hub_says_elsewhere(mesh: MeshRig) -> None:
    async def settled() -> bool:
        hub = (await shown(mesh))["hub"]
        return not any(one.value > 5 for one in hub if one.name == "metip_ledger_lag_seconds")

    await until(settled)
    hub = (await shown(mesh))["hub"]
    assert _value(hub, "metip_mesh_envoys") == 1
    assert _value(hub, "metip_mesh_changes_total", outcome="accepted") >= 1
    assert _value(hub, "metip_ledger_ready") == 1
    assert _value(hub, "metip_ledger_records") > 0
    assert _value(hub, "metip_certificate_days", use="edge") > 1
    assert _value(hub, "metip_reviews_due") == len(reviews_due(CONTRACTS, date.today()))  # noqa: DTZ011 - by the local calendar
    for system in _adapters(mesh):
        assert _value(hub, "metip_system_instances", system=system) == 1
    states = [one for one in hub if one.name == "metip_migration_state"]
    assert states
    by_interface: dict[str, float] = {}
    for one in states:
        by_interface[one.labels["interface"]] = by_interface.get(one.labels["interface"], 0) + one.value
    assert set(by_interface.values()) == {1}, "each interface stands in exactly one state"


def _adapters(mesh: MeshRig) -> set[str]:
    """Systems that run, as the supervisor has them."""
    said = json.loads(Path(mesh.home.processes).read_text())
    names = {one["name"] for one in (said["processes"] if isinstance(said, dict) else said)}
    return {name.removeprefix("adapter-") for name in names if name.startswith("adapter-")}


def _value(those: list[Shown], name: str, **labels: str) -> float:
    """The sum of the samples with these labels."""
    return sum(one.value for one in those if one.name == name and labels.items() <= one.labels.items())
