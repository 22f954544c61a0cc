"""Private files: whole or not at all, closed to others, and refused when they aren't."""

import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from hub.identity import IdentityError, Reason
from hub.identity.private_files import (
    MAX_BYTES,
    exclusive,
    exposure,
    make_private_folder,
    read_private,
    read_public,
    sweep_unfinished,
    write_private,
)

ROOT, US, ANOTHER = 0, 1000, 1001


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_and_its_folder_are_closed_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_private_folder(tmp_path / "a")
        write_private(tmp_path / "a" / "key", b"secret")
    finally:
        os.umask(before)
    assert _mode(tmp_path / "a") == 0o700
    assert _mode(tmp_path / "a" / "key") == 0o600


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o777)
    make_private_folder(tmp_path / "a")
    assert _mode(tmp_path / "a") == 0o700


def test_a_file_that_was_open_is_closed_when_it_is_replaced(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"old")
    key.chmod(0o666)
    write_private(key, b"new")
    assert (key.read_bytes(), _mode(key)) == (b"new", 0o600)


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    key = tmp_path / "key"
    write_private(key, b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(step, fail)
        with pytest.raises(IdentityError) as refused:
            write_private(key, b"new")
    assert refused.value.fault.reason is Reason.UNWRITABLE
    assert "No space left" in refused.value.fault.problem
    assert key.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_the_bytes_reach_the_disk_before_the_name_and_the_name_before_the_return(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        steps.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        fsync(descriptor)

    def seen_replace(source: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(source, target)

    monkeypatch.setattr("os.fsync", seen_fsync)
    monkeypatch.setattr("pathlib.Path.replace", seen_replace)
    write_private(tmp_path / "key", b"secret")
    assert steps == ["sync file", "rename", "sync folder"]


def test_what_a_dead_writer_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".key.abc.new", "key", ".lock", "notes.new"):
        (tmp_path / name).write_bytes(b"x")
    sweep_unfinished(tmp_path)
    assert {entry.name for entry in tmp_path.iterdir()} == {"key", ".lock", "notes.new"}


EXPOSURES = {
    # owner, mode, the user we run as, the fix or None
    "ours_closed": (US, 0o600, US, None),
    "ours_read_only": (US, 0o400, US, None),
    "ours_open_to_group": (US, 0o640, US, "chmod 600"),
    "ours_open_to_all": (US, 0o604, US, "chmod 600"),
    "ours_writable_by_all": (US, 0o602, US, "chmod 600"),
    "roots_closed": (ROOT, 0o600, US, None),
    "roots_readable_by_our_group": (ROOT, 0o640, US, None),
    "roots_writable_by_group": (ROOT, 0o660, US, "chmod 640"),
    "roots_open_to_all": (ROOT, 0o644, US, "chmod 640"),
    "roots_seen_by_root": (ROOT, 0o640, ROOT, "chmod 600"),
    "anothers": (ANOTHER, 0o600, US, f"chown {US}"),
    "anothers_seen_by_root": (ANOTHER, 0o600, ROOT, f"chown {ROOT}"),
}


@pytest.mark.parametrize(("owner", "mode", "user", "fix"), EXPOSURES.values(), ids=EXPOSURES)
def test_who_may_hold_a_key(owner: int, mode: int, user: int, fix: str | None) -> None:
    status = os.stat_result((stat.S_IFREG | mode, 1, 1, 1, owner, owner, 0, 0, 0, 0))
    fault = exposure(Path("key"), status, user)
    if fix is None:
        assert fault is None
    else:
        assert fault is not None
        assert fault.reason is Reason.EXPOSED
        assert fix in fault.fix


def test_a_key_open_to_others_is_refused_with_the_command_that_closes_it(tmp_path: Path) -> None:
    key = tmp_path / "my key"
    write_private(key, b"secret")
    key.chmod(0o644)
    with pytest.raises(IdentityError) as refused:
        read_private(key)
    assert refused.value.fault.reason is Reason.EXPOSED
    assert refused.value.fault.fix == f"run: chmod 600 '{key}'"
    assert "secret" not in str(refused.value)
    assert read_public(key) == b"secret"


def test_a_missing_file_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(IdentityError) as refused:
        read_public(tmp_path / "key")
    assert refused.value.fault.reason is Reason.MISSING


def test_a_folder_a_pipe_and_an_endless_file_are_unreadable(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "large").write_bytes(b"x" * (MAX_BYTES + 1))
    for name in ("folder", "pipe", "large"):
        with pytest.raises(IdentityError) as refused:
            read_public(tmp_path / name)
        assert refused.value.fault.reason is Reason.UNREADABLE


def test_the_lock_keeps_another_holder_out_until_it_is_given_back(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    with exclusive(lock), lock.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with lock.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert _mode(lock) == 0o600


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IdentityError) as refused, exclusive(tmp_path / ".lock"):
        pass
    assert refused.value.fault.reason is Reason.UNWRITABLE
    assert not (tmp_path / "elsewhere").exists()
