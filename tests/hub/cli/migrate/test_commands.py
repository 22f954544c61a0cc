"""`metip migrate` against the service on a socket: what it prints, what it refuses, and four eyes with keys."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from command_line import Done, metip
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from migrating import ASKED, WRITTEN, Rig, plan, rules

from hub.access import approving
from hub.api.migration import MigrationApi
from hub.migration.approvals import Approvals
from hub.migration.states import State
from hub.migration.watching import Watching
from hub.parity.evidence import Evidence
from hub.settings import read
from metip.faults import Fault, Reason
from metip.migration.v1.migration_service_pb2_grpc import add_MigrationServiceServicer_to_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
WHY = ("--because", "the board of 12 May")
LAST = ASKED.rpartition(".")[2]


class Shell:
    """A home whose hub serves nothing but the migration."""

    def __init__(self, folder: Path, rig: Rig) -> None:
        self.folder, self.rig = folder, rig

    async def run(self, *arguments: str) -> Done:
        return await metip(self.folder, "migrate", *arguments)

    async def json(self, *arguments: str) -> Any:
        return (await self.run(*arguments, "--json")).json


def settings(folder: Path, *people: str) -> None:
    edge = dict.fromkeys(("certificate", "key", "authority", "token_keys", "token_issuer", "token_audience"), "x")
    said = {"trust_domain": "metip.local", "socket": "hub.sock", "state": "state", "access": "access.yaml"}
    approvers = [{"name": name, "key": f"{name}.pem"} for name in people]
    for name in people:
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / f"{name}.key").touch(mode=0o600)
        (folder / f"{name}.key").write_bytes(private)
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pem").write_bytes(public)
    whole = {**said, "edge": {"port": 1, "json_port": 2, **edge}, "approvals": {"required": bool(people), "approvers": approvers}}
    (folder / "hub.yaml").write_text(json.dumps(whole))


async def serving(folder: Path, *people: str) -> AsyncIterator[Shell]:
    settings(folder, *people)
    said = read(folder / "hub.yaml").approvals
    keys = approving.public_keys(said, folder) if people else {}
    rig = Rig(folder, plan(rules(ASKED, notes=("mind the gap",)), rules(WRITTEN)), more={"approvals": Approvals(bool(people), keys)})
    await rig.migration.begin()
    rig.stand(ASKED, State.LEGACY)
    rig.stand(WRITTEN, State.LEGACY)
    server = grpc.aio.server()
    add_MigrationServiceServicer_to_server(MigrationApi(rig.migration), server)
    server.add_insecure_port(f"unix:{folder / 'hub.sock'}")
    await server.start()
    yield Shell(folder, rig)
    await server.stop(0)
    rig.close()


@pytest_asyncio.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    """Without signatures, as on a laptop."""
    async for one in serving(tmp_path):
        yield one


@pytest_asyncio.fixture
async def signed(tmp_path: Path) -> AsyncIterator[Shell]:
    """With approval required."""
    async for one in serving(tmp_path, "lead", "deputy"):
        yield one


async def test_a_step_is_taken_shown_and_kept(shell: Shell) -> None:
    done = await shell.run("step", LAST, "--to", "shadow", *WHY, "--approver", "lead")
    assert done.code == 0, done.out + done.err
    assert "step 1: legacy → shadow, recorded and in force" in done.out
    shown = await shell.run("status")
    assert shown.code == 0
    row = next(line for line in shown.out.splitlines() if LAST in line)
    assert "shadow" in row
    assert "canary 1 %: needs errors, latency" in row
    history = await shell.run("history", ASKED)
    assert "approved by lead" in history.out
    assert "the board of 12 May" in history.out


async def test_a_guard_that_fails_ends_with_status_1_and_says_what_is_missing(shell: Shell) -> None:
    shell.rig.stand(ASKED, State.SHADOW)
    done = await shell.run("step", ASKED, "--to", "canary", "--percent", "50", *WHY)
    assert done.code == 1
    assert "50 % is past the next ring, 1 %" in done.out
    assert "--approver NAME" in done.out
    document = await shell.json("step", ASKED, "--to", "canary", "--percent", "50", *WHY)
    assert document["admissible"] is False
    preview = await shell.run("step", ASKED, "--to", "canary", "--percent", "50", *WHY, "--preview")
    assert preview.code == 1
    assert shell.rig.migration.store.steps() == []


async def test_an_emergency_is_recorded_as_one_and_still_needs_somebody_else(shell: Shell) -> None:
    shell.rig.stand(ASKED, State.SHADOW)
    words = ("step", ASKED, "--to", "canary", "--percent", "50", *WHY, "--override")
    assert (await shell.run(*words)).code == 1
    assert (await shell.run(*words, "--approver", "lead")).code == 0
    (step,) = (await shell.json("history"))["steps"]
    assert step["kind"] == "override"
    assert {one["guard"] for one in step["moves"][0]["guards"] if one["overridden"]} == {"ring", "errors", "latency"}


async def test_back_needs_nobody(shell: Shell) -> None:
    shell.rig.stand(ASKED, State.PRIMARY)
    done = await shell.run("back", ASKED, "--because", "complaints")
    assert done.code == 0
    assert "primary → shadow" in done.out
    again = await shell.run("back", ASKED, "--to", "primary", "--because", "complaints")
    assert again.code == 1
    assert "is not back from" in again.out + again.err


async def test_a_consumer_is_tied_and_let_go(shell: Shell) -> None:
    done = await shell.run("pin", ASKED, "--consumer", "consumer/room-1", "--to", "legacy", "--because", "its vendor needs June")
    assert done.code == 0, done.out + done.err
    assert "spiffe://metip.local/consumer/room-1 is tied to METIP: its vendor needs June" in (await shell.run("status")).out
    first = await shell.run("pin", ASKED, "--consumer", "consumer/room-2", "--to", "new", "--because", "goes first", "--approver", "lead")
    assert first.code == 1
    assert "take it to the shadow first" in first.out + first.err
    assert (await shell.run("pin", ASKED, "--consumer", "consumer/room-1", "--release", "--because", "all are there")).code == 0
    twice = await shell.run("pin", ASKED, "--consumer", "consumer/room-1", "--release", "--because", "all are there")
    assert "is tied to no platform there" in twice.out + twice.err


async def test_a_step_waits_and_is_called_off(shell: Shell) -> None:
    assert (await shell.run("step", ASKED, "--to", "shadow", *WHY, "--approver", "lead", "--at", "2099-01-01")).code == 0
    waiting = await shell.json("schedule")
    assert [one["number"] for one in waiting["scheduled"]] == ["1"]
    assert (await shell.run("step", ASKED, "--to", "shadow", *WHY, "--at", "2020-01-01")).code == 2
    off = await shell.run("schedule", "--cancel", "1", "--because", "the board met again")
    assert off.out == "nothing waits\n"
    assert shell.rig.world.ledger[-1][0] == "migration/cancel"
    assert (await shell.run("schedule", "--cancel", "1", "--because", "the board met again")).code == 1


async def test_the_boards_page_tells_each_step_with_its_evidence_and_each_step_back(shell: Shell, tmp_path: Path) -> None:
    shell.rig.world.evidence = Evidence(ASKED, 0.0, 1200, 3, 0.9975, 0.9927, (), 1, 2, 40.0, 30.0)
    await shell.run("step", ASKED, "--to", "shadow", *WHY, "--approver", "lead")
    await shell.run("step", ASKED, "--to", "canary", "--percent", "1", "--because", "<b>bold</b>", "--approver", "lead")
    await shell.run("back", ASKED, "--because", "complaints")
    text = (await shell.run("report", ASKED)).out
    assert "3 steps, 1 of them back" in text
    assert "1,200, of which 3 differ; 99.750% agree, at least 99.270%" in text
    page = tmp_path / "board.html"
    assert (await shell.run("report", ASKED, "--html", str(page))).code == 0
    html = page.read_text()
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<script" not in html
    assert "http" not in html
    assert html.count("<li") == 3
    assert html.count("class='back'") == 1
    document = await shell.json("report", ASKED)
    assert [one["kind"] for one in document["steps"]] == ["forward", "forward", "back"]


async def test_the_plan_and_the_evidence_are_shown(shell: Shell) -> None:
    shown = (await shell.run("plan", ASKED)).out
    assert "mind the gap" in shown
    assert "1 %, 10 %, 25 %, 50 %" in shown
    found = (await shell.run("evidence", ASKED)).out
    assert "to shadow" in found
    assert (await shell.json("evidence", ASKED))["interfaces"][0]["position"]["state"] == "legacy"


async def test_a_hand_in_envoys_runtime_shows_and_ends_with_status_1(shell: Shell) -> None:
    shell.rig.world.by_hand = ("somebody set the weight of owner to 30 in Envoy's runtime, past the hub",)
    done = await shell.run("status", ASKED)
    assert done.code == 1
    assert "past the hub" in done.out


async def test_what_there_is_not_is_told(shell: Shell) -> None:
    done = await shell.run("status", "metip.nobody.v1.NobodyService")
    assert done.code == 1
    assert "is not being moved" in done.out + done.err
    assert (await shell.run("step", ASKED, "--to", "canary", *WHY)).code == 2
    assert (await shell.run("step", ASKED, "--to", "primary", "--percent", "5", *WHY)).code == 2


async def test_a_ledger_that_cannot_be_written_stops_the_step(shell: Shell) -> None:
    shell.rig.world.unrecordable = Fault(Reason.JOURNAL, "the disk is full")
    done = await shell.run("step", ASKED, "--to", "shadow", *WHY, "--approver", "lead")
    assert done.code == 1
    assert "JOURNAL" in done.out + done.err
    assert shell.rig.world.shares[ASKED] == 0


async def test_where_approval_is_required_two_keys_sign_and_once_only(signed: Shell, tmp_path: Path) -> None:
    file, step = str(tmp_path / "step.json"), (ASKED, "--to", "shadow", *WHY)
    unsigned = await signed.run("step", *step, "--approver", "lead")
    assert unsigned.code == 1
    assert "signatures of its author and of an approver" in unsigned.out
    key = {name: ("--key-file", str(tmp_path / f"{name}.key")) for name in ("lead", "deputy")}
    assert (await signed.run("propose", file, *step, *key["lead"])).code == 0
    alone = await signed.run("approve", file, *key["lead"])
    assert "its author can't approve it" in alone.out + alone.err
    early = await signed.run("step", *step, "--approved", file)
    assert "nobody has approved it yet" in early.out
    assert (await signed.run("approve", file, *key["deputy"])).code == 0
    other = await signed.run("step", ASKED, "--to", "shadow", "--because", "another reason", "--approved", file)
    assert "was signed for another step" in other.out + other.err
    assert (await signed.run("step", *step, "--approved", file)).code == 0
    (taken,) = signed.rig.migration.store.steps()
    assert (taken.author, taken.approver, taken.signed) == ("lead", "deputy", True)
    await signed.run("back", ASKED, "--to", "legacy", "--because", "once more")
    again = await signed.run("step", *step, "--approved", file)
    assert again.code == 1
    assert "it was signed as step 1 of the interface, and the next one is 3" in again.out


async def test_a_scheduled_signed_step_is_taken_by_the_watch(signed: Shell, tmp_path: Path) -> None:
    file, step = str(tmp_path / "step.json"), (ASKED, "--to", "shadow", *WHY, "--at", "2099-01-01")
    key = {name: ("--key-file", str(tmp_path / f"{name}.key")) for name in ("lead", "deputy")}
    for words in (("propose", file, *step, *key["lead"]), ("approve", file, *key["deputy"]), ("step", *step, "--approved", file)):
        assert (await signed.run(*words)).code == 0
    signed.rig.world.now = 4_100_000_000.0
    await Watching(signed.rig.migration).look()
    assert signed.rig.migration.store.steps()[0].signed
