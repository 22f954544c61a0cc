"""Private files: written whole or not at all, and refused when somebody else can read them.

The rule for reading a key is PostgreSQL's for its server key, because it also fits a secret that an orchestrator
mounts: a file of our own user must be closed to group and others; a file of root may be readable (not writable) by
our group.
"""

import fcntl
import os
import shlex
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.identity.faults import Fault, IdentityError, Reason, refusal

FILE_MODE = 0o600
FOLDER_MODE = 0o700
MAX_BYTES = 1 << 20  # a bundle of authorities is kilobytes; more is the wrong file
UNFINISHED = ".new"  # suffix of a file that isn't in place yet


def make_private_folder(folder: Path) -> None:
    """Create `folder` (and its parents), or close it to other users. Raises IdentityError UNWRITABLE."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) != FOLDER_MODE:
            folder.chmod(FOLDER_MODE)
        _sync_folder(folder.parent)
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_private(path: Path, content: bytes) -> None:
    """Put `content` at `path` with mode 0600: readers see the old file or the new one, also after a power cut.

    Raises IdentityError UNWRITABLE; what was at `path` is then still there.
    """
    try:
        descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), FILE_MODE)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def sweep_unfinished(folder: Path) -> None:
    """Delete what a writer that died left in `folder`; only for the holder of the lock that all its writers take."""
    for leftover in folder.glob(f".*{UNFINISHED}"):
        leftover.unlink(missing_ok=True)


def read_public(path: Path) -> bytes:
    """Return the file's bytes. Raises IdentityError MISSING or UNREADABLE."""
    return _read(path, private=False)


def read_private(path: Path) -> bytes:
    """Return the file's bytes. Raises IdentityError EXPOSED (others can read them), MISSING or UNREADABLE."""
    return _read(path, private=True)


def exposure(path: Path, status: os.stat_result, user: int) -> Fault | None:
    """Return how a private file is open to others, or None. `user` is the numeric user id we run as."""
    mode = stat.S_IMODE(status.st_mode)
    quoted = shlex.quote(str(path))
    if status.st_uid not in (user, 0):
        return Fault(
            Reason.EXPOSED,
            f"{path} belongs to another user (id {status.st_uid}), who can read and replace it",
            f"run: chown {user} {quoted} && chmod 600 {quoted}",
        )
    if status.st_uid == 0 and user != 0:
        too_open = mode & (stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO)
        cure = "640"
    else:
        too_open = mode & (stat.S_IRWXG | stat.S_IRWXO)
        cure = "600"
    if not too_open:
        return None
    return Fault(Reason.EXPOSED, f"{path} is open to other users (mode {mode:04o})", f"run: chmod {cure} {quoted}")


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold `lock` against every other process and thread; not re-entrant. The system frees it when the holder dies."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    except OSError as error:
        raise _unwritable(lock, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path, *, private: bool) -> bytes:
    # Non-blocking, so that a pipe put where a file belongs can't hang us; checked on the open file, so that the file
    # which was judged is the file which is read.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise refusal(Reason.UNREADABLE, f"{path} isn't a plain file", "put the file there or issue a new one")
            if private and (fault := exposure(path, status, os.geteuid())):
                raise IdentityError(fault)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                content = file.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise refusal(Reason.MISSING, f"{path} doesn't exist", "issue it, or give the right --home") from error
    except OSError as error:
        raise refusal(Reason.UNREADABLE, f"{path} can't be read ({error.strerror})", "run as the user who owns it") from error
    if len(content) > MAX_BYTES:
        raise refusal(Reason.UNREADABLE, f"{path} is larger than {MAX_BYTES} bytes", "put the right file there")
    return content


def _sync_folder(folder: Path) -> None:
    # Without it a rename can be lost in a power cut although the file's own bytes are safe.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> IdentityError:
    return refusal(
        Reason.UNWRITABLE,
        f"{path} can't be written ({error.strerror})",
        "check the disk and that the folder belongs to you, or give another --home",
    )
