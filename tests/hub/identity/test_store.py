"""The identity folder: made once however many ask, mended after a crash, left alone where it is supplied."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import hub
from hub.identity import IdentityError, Reason, Store, faults_of, issue, store_faults
from hub.identity.authority import AUTHORITY_LIFETIME

ALL = ("ca.key", "ca.pem", "token-issuer.key", "jwks.json")
REPOSITORY = Path(hub.__file__).parents[1]


def _output_of(code: str, *arguments: str) -> str:
    return subprocess.check_output([sys.executable, "-c", code, *arguments], cwd=REPOSITORY, text=True, timeout=30)


def _contents(store: Store) -> dict[str, bytes]:
    return {name: (store.directory / name).read_bytes() for name in ALL}


def test_ensure_makes_the_authority_and_the_token_issuer_and_says_so(tmp_path: Path, now: datetime) -> None:
    store = Store(tmp_path / "home" / "identity")
    assert store.ensure(now=now).created == ALL
    assert store_faults(store, now) == ()
    assert store.trust_domain() == "metip.local"


def test_ensure_again_changes_nothing(store: Store) -> None:
    before = _contents(store)
    assert store.ensure().created == ()
    assert _contents(store) == before


def test_every_file_is_0600_and_every_folder_0700(store: Store) -> None:
    issue(store, "spiffe://metip.local/edge")
    for entry in (store.directory, *store.directory.rglob("*")):
        assert entry.stat().st_mode & 0o777 == (0o700 if entry.is_dir() else 0o600), entry


def test_threads_that_race_make_one_authority(tmp_path: Path) -> None:
    store, together = Store(tmp_path / "identity"), threading.Barrier(8)

    def ensure(_: int) -> tuple[str, ...]:
        together.wait()
        return store.ensure().created

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(ensure, range(8)))
    assert sorted(created) == [()] * 7 + [ALL]


# Forked from a process with one thread, since forking the test's own, which has several, may hang.
RACERS = """
import os, sys
from pathlib import Path
from hub.identity import Store
start, go = os.pipe()
children = []
for n in range(4):
    if (child := os.fork()) == 0:
        os.close(go)
        os.read(start, 1)  # returns when the parent closes its end: all begin together
        print(" ".join(Store(Path(sys.argv[1])).ensure().created), flush=True)
        os._exit(0)
    children.append(child)
os.close(go)
for child in children:
    os.waitpid(child, 0)
"""


def test_processes_that_race_make_one_authority(tmp_path: Path) -> None:
    store = Store(tmp_path / "identity")
    answers = sorted(_output_of(RACERS, str(store.directory)).splitlines())
    assert answers == ["", "", "", " ".join(ALL)]
    assert store.ensure().created == ()


KILLED = """
import os, sys
from pathlib import Path
from hub.identity import Store
def die_at(rename):
    renames, replace = 0, Path.replace
    def replace_or_die(source, target):
        nonlocal renames
        renames += 1
        if renames == rename:
            os._exit(9)
        return replace(source, target)
    Path.replace = replace_or_die
for rename in range(1, 5):
    if (child := os.fork()) == 0:
        die_at(rename)
        Store(Path(sys.argv[1], str(rename))).ensure()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_killed_at_any_rename_is_mended_by_the_next(tmp_path: Path) -> None:
    assert _output_of(KILLED, str(tmp_path)).split() == ["9"] * 4
    now = datetime.now(UTC)  # the session's own may be minutes before what those processes signed
    for rename in range(1, 5):
        store = Store(tmp_path / str(rename))
        kept = {name: (store.directory / name).read_bytes() for name in ALL[: rename - 1]}
        assert any(path.name.endswith(".new") for path in store.directory.iterdir())
        assert store.ensure(now=now).created == ALL[rename - 1 :]
        assert store_faults(store, now) == ()
        assert {path.name for path in store.directory.iterdir()} == {*ALL, ".lock"}, "the unfinished file is swept"
        assert {name: _contents(store)[name] for name in kept} == kept, "what was finished is kept"


def test_a_lost_authority_certificate_is_made_again_for_the_same_key(store: Store, now: datetime) -> None:
    leaf = issue(store, "spiffe://metip.local/edge", now=now)
    later = now + timedelta(days=1)
    store.ca_certificate.unlink()
    assert store.ensure(now=later).created == ("ca.pem",)
    assert faults_of(leaf.certificate_path, leaf.key_path, store.ca_certificate, later) == ()
    (authority,) = store.authorities()
    assert authority.not_valid_after_utc == later + AUTHORITY_LIFETIME


def test_a_supplied_folder_with_public_files_only_is_left_alone(store: Store, now: datetime) -> None:
    for private in (store.ca_key, store.token_issuer_key, store.directory / ".lock"):
        private.unlink()
    before = sorted(store.directory.iterdir())
    assert store.ensure().created == ()
    assert sorted(store.directory.iterdir()) == before
    assert store_faults(store, now) == ()
    with pytest.raises(IdentityError) as refused:
        issue(store, "spiffe://metip.local/edge")
    assert refused.value.fault.reason is Reason.MISSING


def test_another_trust_domain_is_refused_where_one_is_here(store: Store) -> None:
    with pytest.raises(IdentityError) as refused:
        store.ensure(trust_domain="metip.example")
    assert refused.value.fault.reason is Reason.WRONG_TRUST_DOMAIN


def test_a_trust_domain_can_be_chosen_for_a_new_authority(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(trust_domain="metip.example")
    assert store.trust_domain() == "metip.example"
    assert issue(store, "spiffe://metip.example/edge").spiffe_id == "spiffe://metip.example/edge"


@pytest.mark.parametrize("name", ["", ".", "..", ".lock", "-x", "a/b", "a b", "ca.pem", "jwks.json", "x" * 101, "a\n", "é"])
def test_a_name_that_is_no_folder_of_a_workload_is_refused(store: Store, name: str) -> None:
    with pytest.raises(IdentityError) as refused:
        store.folder(name)
    assert refused.value.fault.reason is Reason.INVALID_NAME


def test_the_names_are_those_of_the_workloads(store: Store, tmp_path: Path) -> None:
    for name in ("edge", "adapter-one"):
        issue(store, f"spiffe://metip.local/{name}")
    assert store.names() == ("adapter-one", "edge")
    assert Store(tmp_path / "nothing").names() == ()


def test_a_home_that_cant_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError) as refused:
        Store(tmp_path / "file" / "identity").ensure()
    assert refused.value.fault.reason is Reason.UNWRITABLE


def test_an_authority_key_of_another_authority_is_refused(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    other.ensure()
    store.ca_key.write_bytes(other.ca_key.read_bytes())
    with pytest.raises(IdentityError) as refused:
        issue(store, "spiffe://metip.local/edge")
    assert refused.value.fault.reason is Reason.AUTHORITY_UNUSABLE


def test_a_key_never_shows_in_a_representation(store: Store) -> None:
    assert "key" not in repr(store.authority())
