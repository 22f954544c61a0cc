"""`metip ledger` as it is typed, against a ledger that is served: what it prints, and that no identifier is ever an argument."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from command_line import Done, environment
from ledger_service import Served, served

from hub.ledger import entries, exporting, notes, tree
from hub.ledger.exporting import ProvedLeaf

pytestmark = pytest.mark.asyncio(loop_scope="module")
REASON = ("--reason", "Complaint 17")
SETTINGS = """
trust_domain: metip.local
socket: s
state: state
access: access.yaml
edge: {port: 8443, json_port: 8444, certificate: a, key: a, authority: a, token_keys: a, token_issuer: a, token_audience: metip}
"""


@dataclass
class Desk:
    """A home whose hub's socket serves a ledger."""

    served: Served

    async def metip(self, *arguments: str, given: str = "") -> Done:
        """Runs `metip ledger` to its end with something on standard input."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub.cli", "ledger", *arguments),
            env=environment(self.served.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(given.encode()), 60)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    def token(self, *roles: str) -> str:
        """The path of a file with a token."""
        path = self.served.folder / f"token-{'-'.join(roles)}.txt"
        path.write_text(self.served.token(*roles))
        return str(path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A ledger of three calls on two vehicles."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "hub.yaml").write_text(SETTINGS)
    async with served(folder) as found:
        estate = found.estate()
        estate.write(
            [
                estate.draft(("vrm", "AB12CDE"), at=0),
                estate.draft(("vrm", "AB12CDE"), at=1, outcome="NO_TRACE", disclosed=0),
                estate.draft(("vrm", "XY34ZZZ"), at=2, officer="200002YY"),
            ]
        )
        await found.gathered(4)
        yield Desk(found)


async def test_a_subject_on_standard_input_is_searched_for(desk: Desk) -> None:
    done = await desk.metip("search", "--subject-file", "-", *REASON, "--json", given="# whom\nvrm ab12 cde\n")
    assert [one["outcome"] for one in done.json["records"] if one["kind"] == "OPERATION"] == ["NO_TRACE", "OK"]
    assert "AB12CDE" not in done.out + done.err


async def test_a_kind_takes_its_value_from_a_line_of_standard_input(desk: Desk) -> None:
    done = await desk.metip("search", "--by", "officer", "--kind", "operation", *REASON, "--json", given="200002yy\n")
    assert [one["kind"] for one in done.json["records"]] == ["OPERATION"]


async def test_a_search_reads_as_a_table(desk: Desk) -> None:
    done = await desk.metip("search", "--outcome", "NO_TRACE", *REASON)
    assert done.code == 0
    assert "example.v1.ExampleService/GetExample" in done.out
    assert "sealed" in done.out


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        pytest.param(("search", "--by", "shoe_size", *REASON), "10\n", "there is no kind shoe_size", id="no such kind"),
        pytest.param(("search", "--by", "vrm", *REASON), "", "no vrm was given", id="no value"),
        pytest.param(("search", "--subject-file", "-", *REASON), "vrm\n", "line 1 of the subject file", id="no value in the file"),
        pytest.param(("search", "--by", "vrm"), "AB12CDE\n", "--reason", id="no reason"),
        pytest.param(("report", "access", *REASON), "", "is on somebody", id="a report on nobody"),
        pytest.param(("export", "--to", "/tmp/x.json", *REASON), "", "say which records", id="an export of everything"),
        pytest.param(("search", "--for-purpose", "fun", *REASON), "", "--for-purpose", id="no such purpose"),
        pytest.param(("rotate-key", "house", *REASON), "", "house", id="no such key"),
    ],
)
async def test_what_is_not_understood_ends_with_status_2_and_says_why(
    desk: Desk, arguments: tuple[str, ...], given: str, words: str
) -> None:
    done = await desk.metip(*arguments, given=given)
    assert (done.code, words in done.err) == (2, True), done.err


async def test_an_identifier_that_is_none_is_refused_without_being_repeated(desk: Desk) -> None:
    done = await desk.metip("search", "--by", "vrm", *REASON, given="PRIVATE-PLATE-1\n")
    assert done.code == 1
    assert "INVALID_REQUEST" in done.out + done.err
    assert "PRIVATE" not in done.out + done.err


async def test_a_record_is_shown_masked_and_in_clear_to_an_officer_with_the_role(desk: Desk) -> None:
    index = (await desk.metip("search", "--outcome", "NO_TRACE", *REASON, "--json")).json["records"][0]["index"]
    masked = await desk.metip("show", str(index), *REASON)
    assert "•••" in masked.out
    assert "100001XX" not in masked.out
    refused = await desk.metip("show", str(index), "--unmask", *REASON)
    assert (refused.code, "OFFICER_NEEDED" in refused.out + refused.err) == (1, True)
    opened = await desk.metip("show", str(index), "--unmask", "--token-file", desk.token("unmask"), *REASON)
    assert "officer" in opened.out
    assert "100001XX" in opened.out


async def test_a_report_names_units_and_only_unmasked_persons(desk: Desk) -> None:
    masked = await desk.metip("report", "access", "--by", "vrm", *REASON, given="AB12CDE\n")
    assert masked.out.count("01 CO10") == 2
    assert "100001XX" not in masked.out
    unmasked = ("report", "access", "--by", "vrm", "--unmask", "--token-file", desk.token("unmask"), *REASON, "--json")
    opened = await desk.metip(*unmasked, given="AB12CDE\n")
    assert {one["particulars"]["officer"] for one in opened.json["accesses"]} == {"100001XX"}


async def test_an_inspectorate_gets_counts_and_totals(desk: Desk) -> None:
    done = await desk.metip("report", "use", "--interface", "metip.example.v1.ExampleService", *REASON, "--json")
    assert done.json["totals"]["outcome"] == {"OK": 2, "NO_TRACE": 1}
    assert {one["verb"] for one in done.json["uses"]} == {"CONSULTATION"}


async def test_a_bundle_is_whole_proved_and_signed(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    done = await desk.metip(
        "export", "--by", "vrm", "--to", str(path), "--token-file", desk.token("ledger-keeper"), *REASON, given="XY34ZZZ\n"
    )
    assert done.code == 0, done.err
    bundle = json.loads(path.read_text())
    assert path.stat().st_mode & 0o077 == 0
    import base64

    leaves = [
        ProvedLeaf(one["index"], base64.b64decode(one["leaf"]), tuple(map(base64.b64decode, one["proof"])), one["particulars"])
        for one in bundle["leaves"]
    ]
    keys = [desk.served.ledger.signer.verifier]
    checkpoint, _ = notes.opened_checkpoint(bundle["checkpoint"], keys)
    for one in leaves:
        tree.verify_inclusion(tree.leaf_hash(one.leaf), one.index, checkpoint.size, one.proof, checkpoint.root)
    assert {entries.read(one.leaf).journal for one in leaves} == {"example-0"}
    signature = notes.parsed(bundle["signature"])
    assert signature.text == exporting.signed_text(bundle["checkpoint"], leaves)
    assert signature.signed_by(keys)
    again = await desk.metip("export", "--record", "0", "--to", str(path), *REASON)
    assert (again.code, "is there already" in again.err) == (1, True)


async def test_status_says_size_signature_and_journals(desk: Desk) -> None:
    done = await desk.metip("status", "--json")
    journals = {one["name"]: one["gap"] for one in done.json["journals"]}
    assert journals == {"example-0": "", "hub": ""}
    text = await desk.metip("status")
    assert "not co-signed" in text.out
    assert "example-0" in text.out


async def test_nothing_is_due_for_erasure_in_a_young_ledger(desk: Desk) -> None:
    done = await desk.metip("erase", "--before", "2027-01-01", "--dry-run", *REASON)
    assert (done.code, "nothing is due" in done.out) == (0, True)


async def test_a_new_index_key_is_put_in_use_by_a_keeper_only(desk: Desk) -> None:
    refused = await desk.metip("rotate-key", "index", "--token-file", desk.token("unmask"), *REASON)
    assert (refused.code, "RESTRICTED" in refused.out + refused.err) == (1, True)
    done = await desk.metip("rotate-key", "index", "--token-file", desk.token("ledger-keeper"), *REASON, "--json")
    assert done.json == {"key": "index", "number": 2, "verifier_key": ""}
    found = await desk.metip("search", "--by", "vrm", "--kind", "operation", *REASON, "--json", given="AB12CDE\n")
    assert len(found.json["records"]) == 2


@pytest.mark.parametrize("command", [("search",), ("show",), ("status",), ("report",), ("report", "access"), ("export",), ("erase",)])
async def test_help_has_examples(desk: Desk, command: tuple[str, ...]) -> None:
    done = await desk.metip(*command, "--help")
    assert "Examples:" in done.out
