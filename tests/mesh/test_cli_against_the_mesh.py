"""The commands against a running mesh: what they show when all is well, and that `check` names each fault and its fix.

Tests that break the mesh come last: each of them but the last two puts it right again.
"""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from command_line import Done, metip, shell
from example_contract import descriptor_set
from free_ports import free_ports
from leaks import kinds_in
from mesh_rig import MeshRig, running_mesh, until

from hub.cli.day.plan import traffic
from hub.cli.faults import catalogue, dials_of
from hub.cli.messages import installed
from hub.cli.printing import count
from hub.contracts.samples import Sample, samples
from hub.identity import Store, issue
from hub.laptop.preparing import has_simulator, systems
from metip.masking import MASK

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLES = [one for one in samples(installed()) if one.status == "OK" and not one.dials]
QUERIES = [one for one in SAMPLES if one.operation.delivery_class.name == "READ"]
FEDERATED = max((one for one in QUERIES if one.operation.server_streams), key=lambda one: len(one.operation.consults))
QUERY = next(one for one in QUERIES if not one.operation.consults and one.operation.officer_required)
IN_TURN = next(one for one in traffic(installed()) if one.in_turn)
STAND_IN = next(system for system in systems() if has_simulator(system))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MeshRig]:
    """An estate of this module's own, since its last tests break it."""
    async with running_mesh(tmp_path_factory.mktemp("cli")) as rig:
        yield rig


async def run(mesh: MeshRig, *arguments: str) -> Done:
    return await metip(mesh.home.root, *arguments)


def failures(done: Done) -> dict[str, str]:
    """What `check --json` found wrong, with the fix of each."""
    return {one["what"]: one["fix"] for one in done.json["findings"] if one["state"] == "failed"}


async def test_check_on_a_healthy_mesh_is_all_ticks(mesh: MeshRig) -> None:
    done = await run(mesh, "check")
    assert done.code == 0, done.out
    assert "✗" not in done.out
    assert "checks passed" in done.out
    assert "every answered call has its record" in done.out
    for interface in {one.operation.interface for one in SAMPLES}:
        systems = 1 + len(installed().contracts.back_ends_of(interface))
        assert f"{interface}: {count(systems, 'instance')}, healthy" in done.out


async def test_check_as_json_says_the_same(mesh: MeshRig) -> None:
    done = await run(mesh, "check", "--json")
    assert done.json["well"]
    assert {one["section"] for one in done.json["findings"]} >= {"identity", "contracts", "hub", "envoy", "ledger", "edge", "simulators"}
    assert failures(done) == {}


async def test_status_shows_processes_envoy_interfaces_and_changes(mesh: MeshRig) -> None:
    done = await run(mesh, "status")
    assert done.code == 0, done.out
    assert all(process.name in done.out for process in mesh.supervisor.processes)
    assert "version 1." in done.out
    assert "delta" in done.out
    assert " registered " in done.out
    document = (await run(mesh, "status", "--json")).json
    assert document["well"]
    assert all(one["alive"] for one in document["processes"])
    assert {one["name"] for one in document["interfaces"] if one["state"] == "ok"} >= {one.operation.interface for one in SAMPLES}


async def test_explain_says_where_calls_go_now(mesh: MeshRig) -> None:
    done = await run(mesh, "explain", QUERY.operation.name)
    assert done.code == 0
    assert f"unix:{mesh.home.run}" in done.out
    assert "Nowhere" not in done.out


async def test_interfaces_counts_who_serves_them(mesh: MeshRig) -> None:
    document = (await run(mesh, "interfaces", "--json")).json
    assert all(one["instances"] == max(1, len(one.get("back_ends", ()))) for one in document["interfaces"])


@pytest.mark.parametrize("sample", QUERIES, ids=lambda one: one.operation.name)
async def test_call_asks_each_sample_question_and_prints_the_answer(mesh: MeshRig, sample: Sample) -> None:
    done = await run(mesh, "call", sample.operation.name, "--sample")
    assert done.code == 0, done.err
    assert done.out.strip()
    assert f"{sample.operation.method} answered" in done.err


async def test_call_masks_what_is_personal(mesh: MeshRig) -> None:
    shown = await run(mesh, "call", QUERY.operation.name, "--sample")
    document = await run(mesh, "call", QUERY.operation.name, "--sample", "--json")
    for done in (shown, document):
        assert MASK in done.out
        assert kinds_in(done.out.encode()) == frozenset()
    assert document.json["provenance"]["system"]


async def test_call_unmasks_once_that_is_recorded_with_its_reason(mesh: MeshRig) -> None:
    wanted = ("--unmask", "--purpose", QUERY.operation.purposes[0].lower(), "--reason", "Complaint 2026/17")
    masked = await run(mesh, "call", QUERY.operation.name, "--sample")
    done = await run(mesh, "call", QUERY.operation.name, "--sample", *wanted)
    assert (done.code, MASK in masked.out, MASK in done.out) == (0, True, False)
    assert (await run(mesh, "call", QUERY.operation.name, "--sample", "--unmask")).code == 2

    async def recorded() -> bool:
        found = await run(mesh, "ledger", "search", "--operation", "call/unmask", "--reason", "a test of the ledger", "--json")
        return bool(found.json["records"])

    await until(recorded)


async def test_call_streams_a_document_to_a_line(mesh: MeshRig) -> None:
    done = await run(mesh, "call", FEDERATED.operation.name, "--sample", "--json")
    assert done.code == 0, done.err
    assert len(done.documents) >= len(FEDERATED.operation.consults)


async def test_call_without_a_token_is_refused_with_the_reason_and_the_call_id(mesh: MeshRig) -> None:
    done = await run(mesh, "call", QUERY.operation.name, "--sample", "--no-token")
    assert done.code == 1
    assert "refused: UNAUTHENTICATED OFFICER_NEEDED" in done.err
    assert "call id" in done.err


async def test_call_for_a_purpose_that_is_not_permitted_is_refused_by_the_adapter(mesh: MeshRig) -> None:
    other = next(value for value in installed().purposes.values if value.number and value.number not in QUERY.operation.purpose_numbers)
    done = await run(mesh, "call", QUERY.operation.name, "--sample", "--purpose", other.name, "--json")
    assert done.code == 1
    error = done.json["error"]
    assert (error["status"], error["reason"]) == ("PERMISSION_DENIED", "PURPOSE_NOT_PERMITTED")
    assert error["advice"]
    assert error["call_id"]


async def test_call_under_an_identity_without_a_grant_is_refused_by_envoy(mesh: MeshRig) -> None:
    done = await run(mesh, "call", QUERY.operation.name, "--sample", "--as", "edge")
    assert done.code == 1
    assert "NOT_GRANTED" in done.err
    assert "access.yaml" in done.err


async def test_call_names_each_field_that_breaks_the_contracts_rules(mesh: MeshRig) -> None:
    done = await run(mesh, "call", QUERY.operation.name, "--sample", "--why", "x")
    assert done.code == 1
    assert "field          access.justification" in done.err


async def test_call_under_an_identity_that_there_is_not_says_how_to_get_it(mesh: MeshRig) -> None:
    done = await run(mesh, "call", QUERY.operation.name, "--sample", "--as", "nobody")
    assert done.code == 1
    assert "fix: run: metip identity issue consumer/nobody --name nobody" in done.err


@pytest.mark.parametrize("arguments", [(), ("--curl",)], ids=["grpcurl", "curl"])
async def test_the_line_that_is_printed_works_as_it_is_pasted(mesh: MeshRig, arguments: tuple[str, ...]) -> None:
    printed = await run(mesh, "grpcurl", FEDERATED.operation.name, *arguments)
    assert printed.code == 0, printed.err
    done = await shell(mesh.home.root, printed.out.splitlines()[-1])
    assert done.code == 0, done.err
    assert "SOURCE_STATUS_ANSWERED" in done.out


async def test_grpcurl_prints_a_line_for_every_sample(mesh: MeshRig) -> None:
    printed = (await run(mesh, "grpcurl", "--json")).json
    assert {one["operation"] for one in printed} >= {one.operation.name for one in SAMPLES}
    assert all(one["grpcurl"].startswith("grpcurl -cacert ") and one["curl"].startswith("curl ") for one in printed)


async def test_a_day_is_played_and_accounted_for(mesh: MeshRig) -> None:
    done = await run(mesh, "sim", "day", "--speed", "60", "--for", "3m", "--share", "0.1", "--json")
    assert done.code == 0, done.out + done.err
    document = done.json
    assert document["well"]
    assert document["lost"] == document["failed"] == document["pending"] == 0
    called = [one for one in document["traffic"] if one["ends"]]
    assert sum(one["due"] for one in called) == sum(sum(one["ends"].values()) for one in called) > 0
    given = Counter[str]()
    for name, one in document["subscriptions"].items():  # of those that share a post one is given each message
        given[name.partition(":")[2]] += one["accepted"]
    made = [one for one in document["traffic"] if one["due"] and not one["ends"] and one["operation"] in given]
    assert made
    assert all(given[one["operation"]] >= one["due"] for one in made)
    assert set(document["memory_bytes"]) == {process.name for process in mesh.supervisor.processes}


async def test_a_day_of_a_system_that_does_not_run_is_refused(mesh: MeshRig) -> None:
    done = await run(mesh, "sim", "day", "--system", "nowhere")
    assert (done.code, "nowhere does not run here" in done.err) == (1, True)


async def test_faults_of_the_catalogue_are_played_by_name_and_stopped(mesh: MeshRig) -> None:
    by_case = next(one for one in catalogue().faults if one.cases and not one.dials)
    by_dial = next(one for one in catalogue().faults if one.dials and not one.cases)
    answers = (await run(mesh, "sim", "play", by_case.name, "--json")).json["answers"]
    assert [one["case"] for one in answers] == list(by_case.cases)
    (system, *_) = dials_of(by_dial)
    assert f"set: {by_dial.dials[0]}" in (await run(mesh, "sim", "play", by_dial.name)).out
    assert (await run(mesh, "sim", "--json")).json[system]["set"]
    assert (await run(mesh, "sim", "play", by_dial.name, "--stop")).code == 0
    assert not (await run(mesh, "sim", "--json")).json[system]["set"]
    unknown = await run(mesh, "sim", "play", "F99")
    assert (unknown.code, "the catalogue has no F99" in unknown.err) == (1, True)


async def test_sim_sets_shows_and_clears_a_dial_and_check_names_it(mesh: MeshRig) -> None:
    done = await run(mesh, "sim", STAND_IN, "delay=5ms:share=0.5")
    assert done.code == 0, done.err
    assert "set now: delay=5ms:share=0.5" in done.out
    assert "delay=5ms:share=0.5" in (await run(mesh, "sim")).out
    checked = await run(mesh, "check", "--only", "simulators")
    assert checked.code == 0
    assert f"! {STAND_IN} plays a fault: delay=5ms:share=0.5" in checked.out
    assert f"fix: metip sim {STAND_IN} --clear" in checked.out
    assert "every dial is back" in (await run(mesh, "sim", STAND_IN, "--clear")).out
    assert all(not one["set"] for one in (await run(mesh, "sim", "--json")).json.values())


async def test_sim_explains_its_dials_and_refuses_one_that_it_lacks(mesh: MeshRig) -> None:
    told = await run(mesh, "sim", STAND_IN)
    assert "takes the question and never answers it" in told.out
    refused = await run(mesh, "sim", STAND_IN, "explode")
    assert refused.code == 1
    assert "there is no dial 'explode'" in refused.err
    unknown = await run(mesh, "sim", "nothing")
    assert (unknown.code, "there is no simulator of nothing" in unknown.err) == (1, True)


async def test_sim_day_sends_cases_to_court_and_every_result_arrives_wherever_it_goes(mesh: MeshRig) -> None:
    done = await run(mesh, "sim", "day", "--system", IN_TURN.system, "--for", "30m", "--speed", "360", "--share", "2", "--json")
    told = done.json
    assert (told["failed"], told["lost"], told["pending"], told["not_delivered"]) == (0, 0, 0, [])
    (sent,) = told["traffic"]
    assert sent["ends"] == {"OK": sent["due"]}
    accounts = {name: one for name, one in told["subscriptions"].items() if one["accepted"]}
    assert len(accounts) > 2, "the case, and its result at each system that has it"
    for name, one in accounts.items():
        assert one["accepted"] == one["delivered"] == sent["due"] > 0, name
        assert one["milliseconds"]["p50"] > 0
    assert done.code == (0 if told["memory_flat"] else 1)


async def test_envoy_status_counts_calls_by_operation(mesh: MeshRig) -> None:
    done = await run(mesh, "envoy", "status", "--json")
    assert done.code == 0, done.err
    clusters = {one["name"]: one for one in done.json["clusters"]}
    assert clusters[QUERY.operation.interface]["operations"][QUERY.operation.name] > 0
    text = (await run(mesh, "envoy", "status")).out
    assert f"curl -s --unix-socket {mesh.home.admin_socket} http://envoy/clusters" in text


async def test_up_in_a_home_that_has_a_mesh_says_so_and_starts_nothing(mesh: MeshRig) -> None:
    before = mesh.home.hub_settings.read_bytes()
    done = await run(mesh, "up", "--port", str(mesh.ports.grpc))
    assert done.code == 1
    assert f"a mesh already runs in {mesh.home.root} (process {os.getpid()})" in done.err
    assert mesh.home.hub_settings.read_bytes() == before


async def test_up_on_a_port_that_is_taken_says_which_and_starts_nothing(mesh: MeshRig, tmp_path: Path) -> None:
    (free,) = free_ports(1)
    done = await metip(tmp_path / "home", "up", "--port", str(free), "--json-port", str(mesh.ports.json))
    assert done.code == 1
    assert f"port {mesh.ports.json} on 127.0.0.1 is in use" in done.err
    assert "fix: choose others, such as --port" in done.err
    assert not (tmp_path / "home" / "hub.yaml").exists()


async def test_check_names_a_contract_without_annotation_and_what_to_write(mesh: MeshRig, tmp_path: Path) -> None:
    path = tmp_path / "changed.binpb"
    path.write_bytes(descriptor_set(tmp_path / "protos", options=""))
    done = await run(mesh, "check", "--contracts", str(path), "--json")
    assert done.code == 1
    ((what, fix),) = failures(done).items()
    assert what == "metip.example.v1.ExampleService/GetExample does not load: it has no operation option"
    assert fix.startswith("Add option (metip.options.v1.operation) = {")


async def test_check_names_a_certificate_of_a_foreign_authority_and_how_to_replace_it(mesh: MeshRig, tmp_path: Path) -> None:
    foreign = Store(tmp_path / "foreign")
    foreign.ensure(trust_domain="metip.local")
    issue(foreign, mesh.spiffe_id("developer"), name="developer")
    kept = {path: path.read_bytes() for path in (mesh.store.certificate("developer"), mesh.store.key("developer"))}
    try:
        mesh.store.certificate("developer").write_bytes(foreign.certificate("developer").read_bytes())
        mesh.store.key("developer").write_bytes(foreign.key("developer").read_bytes())
        done = await run(mesh, "check", "--json")
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    assert done.code == 1
    found = failures(done)
    signed = next(what for what in found if "wasn't signed by any authority" in what)
    assert "metip identity issue" in found[signed]
    refused = next(what for what in found if "(gRPC) refuses developer" in what)
    assert "does not know the authority" in refused
    assert found[refused] == "run: metip identity check developer"


async def test_check_names_an_adapter_that_hangs(mesh: MeshRig) -> None:
    interface = QUERY.operation.interface
    pid = mesh.pid(f"adapter-{QUERY.system}")
    os.kill(pid, signal.SIGSTOP)
    try:

        async def unhealthy() -> bool:
            return not await mesh.healthy(interface)

        await until(unhealthy)
        done = await run(mesh, "check", "--only", "processes", "--only", "interfaces", "--json")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert done.code == 1
    found = failures(done)
    assert f"adapter-{QUERY.system} is stopped" in found
    assert any(what.startswith(f"{interface}: ") for what in found)

    async def healthy() -> bool:
        return await mesh.healthy(interface)

    await until(healthy, within=30)


async def test_check_names_an_adapter_that_is_down_and_its_log(mesh: MeshRig) -> None:
    adapter = f"adapter-{QUERY.system}"
    await mesh.supervisor.stop(adapter)
    done = await run(mesh, "check", "--json")
    assert done.code == 1
    found = failures(done)
    assert f"{adapter} is stopped" in found
    assert f"{QUERY.operation.interface}: nobody serves it, its adapter is stopped" in found
    assert all(str(mesh.home.log(adapter)) in fix for what, fix in found.items() if "nobody serves it" in what)
    refused = await run(mesh, "call", QUERY.operation.name, "--sample")
    assert (refused.code, "NOBODY_SERVES" in refused.err) == (1, True)
    assert (await run(mesh, "status")).code == 1


async def test_check_names_an_envoy_that_is_stopped_once_and_looks_at_nothing_behind_it(mesh: MeshRig) -> None:
    await mesh.supervisor.stop("envoy")
    done = await run(mesh, "check", "--json")
    assert done.code == 1
    found = failures(done)
    assert "envoy is stopped" in found
    admin = f"Envoy's admin interface at {mesh.home.admin_socket} does not answer"
    assert str(mesh.home.log("envoy")) in found[admin]
    assert f"nobody listens on 127.0.0.1:{mesh.ports.grpc} (gRPC)" in found
    assert not any("healthy" in what for what in found)
    gone = await run(mesh, "envoy", "status")
    assert (gone.code, "does not answer" in gone.err) == (1, True)
    refused = await run(mesh, "call", QUERY.operation.name, "--sample")
    assert (refused.code, "NO_EDGE" in refused.err) == (1, True)
