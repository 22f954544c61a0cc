"""Bundles for a case: checked by the stand-alone verifier, and found out in every part that is changed."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gathered import Gathered
from ledgers import signer

import hub.ledger.verifier as verifier
from hub.cli.ledger.exporting import FORMAT
from hub.ledger import exporting
from hub.ledger.opening import Unsealing
from hub.ledger.postgres.connecting import Server
from hub.ledger.reporting import Reading, UnknownRecordError


@pytest.fixture
def estate(tmp_path: Path, server: Server | None) -> Any:
    """A ledger of a few hundred calls."""
    found = Gathered(tmp_path, server)
    found.write([found.draft(("vrm", "AB12CDE"), at=n) for n in range(300)])
    found.gather()
    yield found
    found.close()


def bundle(estate: Gathered, *indexes: int, unmask: bool = False) -> dict[str, Any]:
    """A bundle as the command writes it."""
    glass = estate.engine.glass()
    try:
        reading = Reading(glass.db, Unsealing(estate.keys_folder / "sealing"))
        made = exporting.bundle(glass.tree, reading, indexes, signer(), unmask=unmask)
    finally:
        glass.tree.close()

    def text(content: bytes) -> str:
        return base64.b64encode(content).decode()

    leaves = [
        {"index": one.index, "leaf": text(one.leaf), "proof": [text(node) for node in one.proof], "particulars": one.particulars}
        for one in made.leaves
    ]
    return {
        "format": FORMAT,
        "checkpoint": made.checkpoint,
        "cosigned": made.cosigned,
        "leaves": leaves,
        "signature": made.signature,
    }


def verified(document: Any) -> verifier.Report:
    """What the verifier says of a bundle."""
    return verifier.verify_document(json.dumps(document), verifier.keys([str(signer().verifier)]))


@pytest.mark.parametrize("unmask", [False, True], ids=["sealed", "in clear"])
def test_a_bundle_verifies_on_its_own(estate: Gathered, unmask: bool) -> None:
    report = verified(bundle(estate, 0, 7, 299, unmask=unmask))
    assert (report.verified, report.records, report.size) == (True, 3, 300), report.fault


def _without_a_leaf(found: Any) -> None:
    del found["leaves"][1]


def _with_another_leaf(found: Any) -> None:
    found["leaves"].append(found["leaves"][0])


def _with_other_particulars(found: Any) -> None:
    found["leaves"][0]["particulars"] = found["leaves"][0]["particulars"].replace("100001XX", "100002XX")


def _with_a_changed_leaf(found: Any) -> None:
    leaf = bytearray(base64.b64decode(found["leaves"][0]["leaf"]))
    leaf[-40] ^= 1
    found["leaves"][0]["leaf"] = base64.b64encode(bytes(leaf)).decode()


def _with_another_index(found: Any) -> None:
    found["leaves"][0]["index"] += 1


def _with_a_shorter_proof(found: Any) -> None:
    found["leaves"][0]["proof"].pop()


def _in_another_order(found: Any) -> None:
    found["leaves"].reverse()


def _with_another_checkpoint(found: Any) -> None:
    found["checkpoint"] = found["checkpoint"].replace("\n300\n", "\n301\n")


def _without_a_signature(found: Any) -> None:
    found["signature"] = found["checkpoint"]


CHANGES = (
    _without_a_leaf,
    _with_another_leaf,
    _with_other_particulars,
    _with_a_changed_leaf,
    _with_another_index,
    _with_a_shorter_proof,
    _in_another_order,
    _with_another_checkpoint,
    _without_a_signature,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda one: one.__name__.strip("_"))
def test_a_bundle_that_was_changed_does_not_verify(estate: Gathered, change: Callable[[Any], None]) -> None:
    found = bundle(estate, 0, 7, 299, unmask=True)
    before = json.dumps(found)
    change(found)
    assert json.dumps(found) != before
    assert not verified(found).verified


def test_the_key_of_another_ledger_does_not_verify_it(estate: Gathered) -> None:
    report = verifier.verify_document(json.dumps(bundle(estate, 0)), verifier.keys([str(signer(seed=9).verifier)]))
    assert not report.verified


def test_the_verifier_alone_checks_a_bundle_on_another_machine(estate: Gathered, tmp_path: Path) -> None:
    """Only the one file and the standard library with `cryptography`: nothing of ours is on the path."""
    alone = tmp_path / "elsewhere"
    alone.mkdir()
    (alone / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())
    (alone / "case.json").write_text(json.dumps(bundle(estate, 3, unmask=True)))
    command = [sys.executable, "-I", "verifier.py", "case.json", "--vkey", str(signer().verifier)]
    done = subprocess.run(command, cwd=alone, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "verified" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_record_that_there_is_not_is_not_handed_out(estate: Gathered) -> None:
    with pytest.raises((UnknownRecordError, ValueError)):
        bundle(estate, 10_000)
