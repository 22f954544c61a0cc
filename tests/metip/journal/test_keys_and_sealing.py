"""Key files, and particulars that only their key opens."""

import stat
from pathlib import Path

import pytest

from metip.journal.keys import INDEX, SEALING, SecretError, add_index_key, add_sealing_key, ensure_keys, numbered, read_secret
from metip.journal.sealing import Opener, Sealer, Wrapped, opened

INTERFACE, MONTH = "metip.sample.v1.SampleService", "2026-11"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the first keys."""
    ensure_keys(tmp_path)
    return tmp_path


def test_keys_are_made_once_and_for_their_own_user_only(keys: Path) -> None:
    files = sorted(path.relative_to(keys).as_posix() for path in keys.rglob("*.*"))
    assert files == ["index/1.key", "sealing/1.key", "sealing/1.pub"]
    assert {stat.S_IMODE((keys / file).stat().st_mode) for file in files} == {0o600}
    before = [(keys / file).read_bytes() for file in files]
    ensure_keys(keys)
    assert [(keys / file).read_bytes() for file in files] == before
    assert len(set(before)) == len(before)


def test_a_key_that_others_can_read_or_that_is_too_short_is_refused_by_name(keys: Path) -> None:
    path = keys / INDEX / "1.key"
    path.chmod(0o640)
    with pytest.raises(SecretError, match=r"1\.key is open to other users"):
        read_secret(path, 32)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(SecretError, match="has not 32 bytes"):
        read_secret(path, 32)
    with pytest.raises(SecretError, match=r"2\.key can't be read"):
        read_secret(keys / INDEX / "2.key", 32)


def test_only_numbered_files_are_keys(keys: Path) -> None:
    for name in ("0.key", "01.key", "x.key", ".2.key.new", "1.pub"):
        (keys / INDEX / name).touch()
    assert list(numbered(keys / INDEX, ".key")) == [1]
    assert add_index_key(keys / INDEX) == 2


def test_what_is_sealed_opens_with_its_own_key_only(keys: Path) -> None:
    sealer = Sealer(keys / SEALING)
    key_id, sealed = sealer.seal(INTERFACE, MONTH, b"particulars")
    again = sealer.seal(INTERFACE, MONTH, b"particulars")
    other, _ = sealer.seal(INTERFACE, "2026-12", b"particulars")
    assert again[0] == key_id
    assert again[1] != sealed
    assert other != key_id
    first, second = sealer.unsaved
    opener = Opener(keys / SEALING)
    data = opener.unwrap(first)
    assert opened(data, key_id, sealed) == opened(data, *again) == b"particulars"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    others = opener.unwrap(second)
    for key, of, what in ((data, other, sealed), (others, key_id, sealed), (data, key_id, changed), (data, key_id, b"")):
        with pytest.raises(SecretError):
            opened(key, of, what)


def test_a_wrapped_key_can_not_pass_for_that_of_another_interface_or_month(keys: Path) -> None:
    sealer = Sealer(keys / SEALING)
    sealer.seal(INTERFACE, MONTH, b"particulars")
    (key,) = sealer.unsaved
    for changed in (
        Wrapped(key.id, "metip.other.v1.OtherService", key.month, key.wrapped),
        Wrapped(key.id, key.interface, "2026-12", key.wrapped),
        Wrapped(bytes(16), key.interface, key.month, key.wrapped),
        Wrapped(key.id, key.interface, key.month, key.wrapped[:-1]),
        Wrapped(key.id, key.interface, key.month, (7).to_bytes(4, "big") + key.wrapped[4:]),
    ):
        with pytest.raises(SecretError):
            Opener(keys / SEALING).unwrap(changed)


def test_two_processes_never_share_a_key(keys: Path) -> None:
    assert Sealer(keys / SEALING).seal(INTERFACE, MONTH, b"")[0] != Sealer(keys / SEALING).seal(INTERFACE, MONTH, b"")[0]


def test_a_new_sealing_key_is_used_without_a_restart_and_the_old_one_still_opens(keys: Path) -> None:
    now = [0.0]
    sealer, opener = Sealer(keys / SEALING, clock=lambda: now[0]), Opener(keys / SEALING)
    old = sealer.seal(INTERFACE, MONTH, b"old")
    old_key = sealer.unsaved[0]
    sealer.unsaved.clear()
    assert add_sealing_key(keys / SEALING) == 2
    sealer.look()
    assert sealer.seal(INTERFACE, MONTH, b"same")[0] == old[0], "it looks no more often than it must"
    now[0] += 10
    sealer.look()
    new = sealer.seal(INTERFACE, MONTH, b"new")
    assert opened(opener.unwrap(sealer.unsaved[0]), *new) == b"new"
    assert opened(opener.unwrap(old_key), *old) == b"old"
    assert [key.wrapped[:4] for key in (old_key, *sealer.unsaved)] == [bytes([0, 0, 0, 1]), bytes([0, 0, 0, 2])]


def test_sealing_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="holds no public sealing key"):
        Sealer(tmp_path)
