"""`metip ledger verify`, `prove` and `witness` as they are typed, on a home whose witness runs and on files elsewhere."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest
import pytest_asyncio
from command_line import Done, environment, metip
from ledgers import Journal
from waiting import until

from hub.laptop.layout import Home
from hub.laptop.preparing import Ports, prepare
from hub.ledger import signing
from hub.ledger.cosigning import Cosigning
from hub.ledger.store import LedgerStore
from metip.ledger.v1.witness_service_pb2 import GetCheckpointRequest
from metip.ledger.v1.witness_service_pb2_grpc import WitnessServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Place:
    """A home with a ledger of 300 records, all cosigned, and three more that are not."""

    home: Home

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.home.state / "ledger.sqlite"

    @property
    def vkey(self) -> str:
        """The file of the ledger's verifier keys."""
        return str(self.home.ledger_keys / "signing" / "ledger.vkey")

    async def metip(self, *arguments: str) -> Done:
        """Runs `metip ledger …`."""
        return await metip(self.home.root, "ledger", *arguments)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """The home, its witness running by `metip ledger witness`."""
    import grpc

    home = Home.at(tmp_path_factory.mktemp("home"))
    prepare(home, Ports(1, 2, 3))
    found = Place(home)
    keys = signing.load(home.ledger_keys / signing.FOLDER, signing.origin("metip.local"))
    store, journal = LedgerStore(found.ledger, keys.signer, keys.trusted), Journal()
    with home.log("witness").open("wb") as log:
        witness = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub.cli", "ledger", "witness"), env=environment(home.root), stdout=log, stderr=log
        )
    try:
        await until(home.witness_socket.exists, within=30)
        store.append(journal.entries(300))
        reader = store.reader()
        cosigning = Cosigning(store, home.witness_socket, home.witness_keys / "witness.vkey", lambda *_a, **_v: None)
        async with grpc.aio.insecure_channel(f"unix:{home.witness_socket}") as channel:
            assert await cosigning.once(WitnessServiceStub(channel), reader)
        store.append(journal.entries(3))
        reader.close()
        yield found
    finally:
        store.close()
        witness.terminate()
        assert await asyncio.wait_for(witness.wait(), 30) == 0


async def test_the_ledger_of_a_home_verifies_against_what_its_witness_remembers(place: Place) -> None:
    done = await place.metip("verify")
    assert (done.code, done.err) == (0, "")
    assert "verified: 303 records of metip.local/ledger, 3 checkpoints, signed up to 303, a witness up to 300, in " in done.out
    found = (await place.metip("verify", "--json")).json
    assert (found["kind"], found["verified"], found["records"], found["cosigned"], found["fault"]) == ("ledger", True, 303, 300, None)
    assert found["journals"] == {"example-0": 303}


async def test_a_ledger_that_was_put_back_does_not_verify_though_its_file_is_whole(place: Place, tmp_path: Path) -> None:
    other = Home.at(tmp_path / "other")
    other.root.mkdir()
    shutil.copytree(place.home.identity, other.identity)
    other.hub_settings.write_text(place.home.hub_settings.read_text().replace(str(place.home.run), str(other.run)))
    other.state.mkdir()
    keys = signing.load(other.ledger_keys / signing.FOLDER, signing.origin("metip.local"))
    store = LedgerStore(other.state / "ledger.sqlite", keys.signer, keys.trusted)
    store.append(Journal().entries(200))
    store.close()
    alone = await metip(other.root, "ledger", "verify")
    assert alone.code == 0
    assert "no witness answers: what was cut off at the end would not show" in alone.err
    known = tmp_path / "known.txt"
    known.write_text(await remembered(place))
    done = await metip(other.root, "ledger", "verify", "--known", str(known))
    assert done.code == 1
    assert "NOT VERIFIED: record 200: it is missing: a checkpoint of 300 records was signed, and here are 200" in done.out


async def remembered(place: Place) -> str:
    """What the witness remembers."""
    import grpc

    async with grpc.aio.insecure_channel(f"unix:{place.home.witness_socket}") as channel:
        found = await WitnessServiceStub(channel).GetCheckpoint(GetCheckpointRequest(origin="metip.local/ledger"))
        return str(found.checkpoint)


async def test_an_altered_copy_is_told_by_its_first_bad_record(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    apsw.Connection(str(place.ledger)).execute("vacuum into ?", (str(copy),))
    assert (await place.metip("verify", str(copy), "--vkey", place.vkey)).code == 0
    apsw.Connection(str(copy)).execute("update leaves set leaf = zeroblob(40) where idx in (57, 58)")
    done = await place.metip("verify", str(copy), "--vkey", place.vkey)
    assert (done.code, done.err) == (1, "")
    assert "NOT VERIFIED: record 57 (journal example-0, position 58): it is not what its tile says, and was changed" in done.out
    found = (await place.metip("verify", str(copy), "--json")).json
    assert found["fault"] == {"what": "it is not what its tile says, and was changed", "index": 57, "journal": "example-0", "position": 58}


async def test_a_record_is_proved_and_the_proof_verifies_elsewhere(place: Place, tmp_path: Path) -> None:
    proof, elsewhere = tmp_path / "proof.json", tmp_path / "elsewhere"
    done = await place.metip("prove", "123", "--to", str(proof))
    assert (done.code, done.err) == (0, "")
    assert "record 123, position 124 of journal example-0, is in metip.local/ledger" in done.out
    assert "signed for 300 records, cosigned" in done.out
    done = await metip(elsewhere, "ledger", "verify", str(proof), "--vkey", place.vkey)
    assert (done.code, done.out[2:36]) == (0, "verified: 1 record of metip.local/")
    changed = json.loads(proof.read_text())
    changed["leaves"][0]["index"] = 124
    proof.write_text(json.dumps(changed))
    done = await metip(elsewhere, "ledger", "verify", str(proof), "--vkey", place.vkey)
    assert (done.code, "record 124 (journal example-0, position 124): its proof does not lead to the root" in done.out) == (1, True)


async def test_a_record_that_is_not_cosigned_yet_is_proved_against_the_newest_checkpoint(place: Place) -> None:
    found = (await place.metip("prove", "302", "--json")).json
    assert (found["cosigned"], found["checkpoint"].splitlines()[1]) == ("", "303")


REFUSED = [
    (("prove", "303"), 1, "there is no record 303: the ledger has 303, from 0"),
    (("prove", "-1"), 2, "-1"),
    (("verify", "nowhere.sqlite"), 2, "nowhere.sqlite can't be read: No such file or directory"),
    (("verify", "nowhere.sqlite", "--vkey", "x"), 2, "x is neither a verifier key nor a file of them"),
    (("verify", "--known", "nowhere.txt"), 2, "nowhere.txt is no checkpoint of the ledger"),
    (("witness", "--settings", "nowhere.yaml"), 1, "there is no nowhere.yaml"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED, ids=[" ".join(case[0]) for case in REFUSED])
async def test_what_can_not_be_done_is_said(place: Place, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = await place.metip(*arguments)
    assert (done.code, words in done.err) == (code, True), done.err


async def test_a_home_without_a_ledger_is_told_what_to_do(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "h")
    prepare(home, Ports(1, 2, 3))
    done = await metip(home.root, "ledger", "verify")
    assert (done.code, "the ledger has not run yet" in done.err, "metip up" in done.err) == (1, True, True)
