"""Where contexts are kept: a JSON file each, of mode 0600, and beside their folder the name of the one in use.

JSON and not YAML, since every command reads them before it does anything, and completion within a fifth of a second.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Final

from hub.cli.contexts.model import NAME, Context, context_of
from hub.cli.options import Problem

SUFFIX: Final = ".json"
MODE: Final = 0o600


def folder() -> Path:
    """`${XDG_CONFIG_HOME:-~/.config}/metip/contexts`."""
    said = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(said) if Path(said).is_absolute() else Path.home() / ".config"
    return base / "metip" / "contexts"


def file_of(name: str) -> Path:
    """The file of a context, which need not be there."""
    return folder() / f"{name}{SUFFIX}"


def in_use_file() -> Path:
    """The file that names the context in use."""
    return folder().parent / "context"


def names() -> tuple[str, ...]:
    """Contexts by name, sorted."""
    try:
        return tuple(sorted(path.stem for path in folder().iterdir() if path.suffix == SUFFIX and NAME.fullmatch(path.stem)))
    except OSError:
        return ()


def read(path: Path) -> Context:
    """The context in a file. Raises `Problem` for one that can't be used, or that others may read."""
    try:
        if path.stat().st_mode & 0o077:
            raise Problem(f"others than you may read or change the context {path}", f"run: chmod 600 {path}")
        return context_of(path.stem, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        there = ", ".join(names()) or "none"
        raise Problem(f"there is no context {path.stem}; there are {there}", "`metip context add` makes one") from None
    except OSError as error:
        raise Problem(f"the context {path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise Problem(f"the context {path} can't be used: {error}", "correct it, or remove it and add it anew") from None


def named(name: str) -> Context:
    """The context of that name. Raises `Problem`."""
    if not NAME.fullmatch(name):
        raise Problem("that is no name of a context", f"there are {', '.join(names()) or 'none'}")
    return read(file_of(name))


def in_use() -> str:
    """The name of the context in use; empty where none is."""
    try:
        return in_use_file().read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def keep(one: Context) -> Path:
    """Writes a context's file. Raises `Problem`."""
    path = file_of(one.name)
    _write(path, json.dumps(one.document(), indent=2, ensure_ascii=False) + "\n")
    return path


def put_in_use(name: str) -> None:
    """Makes a context the one in use; an empty name, none. Raises `Problem`."""
    if name:
        _write(in_use_file(), name + "\n")
    else:
        in_use_file().unlink(missing_ok=True)


def remove(name: str) -> None:
    """Removes a context's file, and its being in use. Raises `Problem` where there is none."""
    try:
        file_of(name).unlink()
    except FileNotFoundError:
        named(name)
    if in_use() == name:
        put_in_use("")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False, encoding="utf-8") as file:
            file.write(text)
        os.chmod(file.name, MODE)  # noqa: PTH101 - a file that was just made
        Path(file.name).replace(path)
    except OSError as error:
        raise Problem(f"{path} can't be written: {error.strerror}") from None
