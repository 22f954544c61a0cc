"""The verifier as it is handed out: proofs and bundles, alone on another machine, its exit codes, and its speed."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from altering import SIGNER, SIZE, TRUSTED, WITNESS, Clean, alter, checked, written
from ledgers import ORIGIN, Journal, signer

from hub.ledger import notes, tree, verifier
from hub.ledger.notes import Checkpoint
from hub.ledger.store import LedgerStore
from hub.ledger.verifier import UnverifiableError

OTHER_TEXT = str(Checkpoint(ORIGIN, 300, bytes(32)))


@pytest.fixture(scope="module")
def proof(clean: Clean) -> dict[str, Any]:
    """A proof of one record."""
    store = LedgerStore(clean.path, SIGNER)
    reader = store.reader()
    head = reader.head()
    path = tree.inclusion(123, head.size, reader.subtree)
    leaf = {"index": 123, "leaf": encoded(clean.entries[123].leaf()), "proof": [encoded(one) for one in path], "particulars": ""}
    reader.close()
    store.close()
    return {"format": "metip-ledger-proof/1", "checkpoint": head.note, "cosigned": "", "leaves": [leaf]}


def encoded(content: bytes) -> str:
    """Base64."""
    return base64.b64encode(content).decode()


def test_a_proof_verifies(proof: dict[str, Any]) -> None:
    found = verifier.verify_document(json.dumps(proof), TRUSTED)
    assert (found.verified, found.kind, found.records, found.size) == (True, "proof", 1, SIZE)


def changed(document: dict[str, Any], *path: str | int, value: Any) -> dict[str, Any]:
    """A document with one thing otherwise."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    at: Any = found
    for one in path[:-1]:
        at = at[one]
    at[path[-1]] = value
    return found


WRONG_PROOFS: list[tuple[str, tuple[str | int, ...], Any, str]] = [
    ("another index", ("leaves", 0, "index"), 124, "record 124 (journal"),
    ("an index beyond", ("leaves", 0, "index"), 700, "record 700 (journal"),
    ("a negative index", ("leaves", 0, "index"), -1, "record -1 (journal"),
    ("no hashes", ("leaves", 0, "proof"), [], "does not lead to the root"),
    ("a hash too many", ("leaves", 0, "proof", 0), encoded(bytes(64)), "does not lead to the root"),
    (
        "another leaf",
        ("leaves", 0, "leaf"),
        encoded(Journal().entry().leaf()),
        "record 123 (journal example-0, position 1): its proof does not lead",
    ),
    ("no leaf", ("leaves", 0, "leaf"), encoded(b"x"), "record 123: it is no entry"),
    ("no base64", ("leaves", 0, "leaf"), "?", "it is not of the format: Error"),
    (
        "another checkpoint",
        ("checkpoint",),
        str(notes.signed(str(Checkpoint(ORIGIN, 700, bytes(32))), SIGNER)),
        "does not lead to the root",
    ),
    (
        "a stranger's checkpoint",
        ("checkpoint",),
        str(notes.signed(str(Checkpoint(ORIGIN, 700, bytes(32))), signer(seed=9))),
        "the checkpoint: no trusted key",
    ),
    ("no list", ("leaves",), 7, "it is not of the format: TypeError"),
    ("another's cosignature", ("cosigned",), str(notes.signed(OTHER_TEXT, SIGNER)), "the checkpoint: its cosigned form has another text"),
]


@pytest.mark.parametrize(("name", "path", "value", "words"), WRONG_PROOFS, ids=[case[0] for case in WRONG_PROOFS])
def test_a_wrong_proof_does_not_verify_and_says_why(
    proof: dict[str, Any], name: str, path: tuple[str | int, ...], value: Any, words: str
) -> None:
    found = verifier.verify_document(json.dumps(changed(proof, *path, value=value)), TRUSTED)
    assert not found.verified
    assert words in verifier.told(found)


@pytest.fixture
def bundle(proof: dict[str, Any]) -> dict[str, Any]:
    """A signed bundle of one record, with something in clear."""
    made = changed(proof, "format", value="metip-ledger-bundle/1")
    made["leaves"][0]["particulars"] = '{"reference": "synthetic"}'
    one = made["leaves"][0]
    leaf = base64.b64decode(one["leaf"])
    parts = (
        made["checkpoint"].encode(),
        (123).to_bytes(8),
        hashlib.sha256(leaf).digest(),
        hashlib.sha256(one["particulars"].encode()).digest(),
    )
    text = f"metip-ledger-bundle/1\n1\n{encoded(hashlib.sha256(b''.join(parts)).digest())}\n"
    return made | {"signature": str(notes.signed(text, SIGNER))}


def test_a_bundle_verifies_and_nothing_of_it_can_be_left_out_added_or_changed(bundle: dict[str, Any]) -> None:
    assert verifier.verify_document(json.dumps(bundle), TRUSTED).verified
    wrong = (
        changed(bundle, "leaves", value=[]),
        changed(bundle, "leaves", value=bundle["leaves"] * 2),
        changed(bundle, "leaves", 0, "particulars", value="{}"),
    )
    for one in wrong:
        found = verifier.verify_document(json.dumps(one), TRUSTED)
        assert (
            verifier.told(found) == "NOT VERIFIED: the bundle's signature is of another content: something was left out, added or changed"
        )
    stranger = str(notes.signed(bundle["signature"].rpartition("\n\n")[0] + "\n", signer(seed=9)))
    assert "no trusted key of the ledger signed the bundle" in verifier.told(
        verifier.verify_document(json.dumps(changed(bundle, "signature", value=stranger)), TRUSTED)
    )


@pytest.mark.parametrize(
    "content",
    ["", "[]", "7", '{"format": "other"}', '{"format": []}', "[" * 100_000],
    ids=["nothing", "a list", "a number", "other", "unhashable", "deep"],
)
def test_what_is_no_document_is_unverifiable(content: str) -> None:
    with pytest.raises(UnverifiableError, match="neither a ledger nor JSON"):
        verifier.verify_document(content, TRUSTED)


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The verifier as a file of its own, run where nothing of ours can be imported."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())
    (folder / "ledger.vkey").write_text(f"{SIGNER.verifier}\n")
    (folder / "sitecustomize.py").write_text(
        "import sys\nsys.modules.update(hub=None, metip=None, adapters=None, apsw=None, google=None)\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}
        return subprocess.run(
            [sys.executable, "verifier.py", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_it_runs_alone_on_another_machine(
    alone: Callable[..., subprocess.CompletedProcess[str]], clean: Clean, copy: Path, proof: dict[str, Any], tmp_path: Path
) -> None:
    done = alone(str(clean.path), "--vkey", "ledger.vkey", "--witness-vkey", str(WITNESS.verifier))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("verified: 700 records of metip.local/ledger, 6 checkpoints, signed up to 700, a witness up to 600, in ")
    alter(copy, "update leaves set leaf = zeroblob(9) where idx = 321")
    done = alone(str(copy), "--vkey", str(SIGNER.verifier), "--json")
    found = json.loads(done.stdout)
    one = clean.entries[321]
    assert (done.returncode, found["verified"], found["records"]) == (1, False, 600)
    assert found["fault"] == {
        "what": "it is not what its tile says, and was changed",
        "index": 321,
        "journal": one.journal,
        "position": one.position,
    }
    document = tmp_path / "proof.json"
    document.write_text(json.dumps(proof))
    assert alone(str(document), "--vkey", "ledger.vkey").returncode == 0
    known = tmp_path / "known.txt"
    known.write_text(str(notes.signed(str(Checkpoint(ORIGIN, 900, bytes(32))), SIGNER)))
    done = alone(str(clean.path), "--vkey", "ledger.vkey", "--known", str(known))
    assert (done.returncode, done.stdout) == (
        1,
        "NOT VERIFIED: record 700: it is missing: a checkpoint of 900 records was signed, and here are 700\n",
    )


UNUSABLE = [
    (("nowhere.sqlite", "--vkey", "ledger.vkey"), "nowhere.sqlite can't be read: No such file or directory"),
    (("ledger.vkey", "--vkey", "ledger.vkey"), "that is neither a ledger nor JSON"),
    (("verifier.py", "--vkey", "nothing"), "nothing is neither a verifier key nor a file of them"),
    (("verifier.py", "--vkey", "a+00000000+AAAA"), "that is no verifier key"),
    (("verifier.py", "--vkey", str(SIGNER.verifier).replace("metip", "metep")), "not the one that is stated"),
    (
        ("verifier.py", "--vkey", "ledger.vkey", "--known", "ledger.vkey"),
        "ledger.vkey is no checkpoint of the ledger: it is no signed note",
    ),
]


@pytest.mark.parametrize(("arguments", "words"), UNUSABLE, ids=[words for _, words in UNUSABLE])
def test_what_can_not_be_verified_ends_with_two(
    alone: Callable[..., subprocess.CompletedProcess[str]], arguments: tuple[str, ...], words: str
) -> None:
    done = alone(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_copy_in_a_folder_that_nobody_may_write_verifies(clean: Clean, tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir()
    copy = Path(shutil.copy(clean.path, folder))
    copy.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert checked(copy).verified
    finally:
        folder.chmod(0o700)


def test_twenty_thousand_records_verify_within_a_fiftieth_of_a_minute_or_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    written(path, (1000,) * 20)
    found = []
    for _ in range(3):
        began = time.process_time()
        assert checked(path).verified
        found.append(time.process_time() - began)
    assert min(found) < 60 / 50, "a million would take more than a minute of this processor"
