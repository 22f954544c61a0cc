"""When a file names a system: the rule that keeps a system within its own folders.

A system's name is a word like any other (`tablet`), and prose may use it. A file *names* a system where it spells one of these:

- its package, folder, identity or process: the name after `metip.`, `metip/`, `adapters.`, `adapters/`, `adapter/`, `adapter-` or `sim-`,
  or imported from the parent (`from adapters import …`);
- the bare name as a whole string, between double or single quotation marks;
- in configuration (YAML, TOML, INI, Makefiles, shell), where a string needs no quotation marks: the bare name outside comments.

So `consumer/tablet`, `tablet_id`, `tablet-7` and `# the tablet asks` name nothing, and neither does the name in capitals. Documentation,
the change log, deployment values (`values.yaml`, `*.values.yaml`) and what is played across systems (`adapters/*.yaml`) may name whom they
like.
"""

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path, PurePath

CODE = frozenset({".proto", ".py", ".pyi", ".tmpl", ".txtpb"})
CONFIGURATION = frozenset({".cfg", ".ini", ".mk", ".sh", ".toml", ".yaml", ".yml"})
CONFIGURATION_NAMES = frozenset({"Makefile", "run"})
GENERATED = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi", ".binpb")


def own(path: str, system: str) -> bool:
    """Whether a file is in the system's own folders: its contract, its adapter, that adapter's tests."""
    return path.startswith((f"protos/metip/{system}/", f"adapters/{system}/", f"tests/adapters/{system}/"))


def lines_naming(system: str, path: str, text: str) -> tuple[int, ...]:
    """Numbers, from 1, of the lines that name the system; none for a kind of file that may. `path` is relative, with slashes."""
    rule = _rule(path) if system in text else None
    if rule is None:
        return ()
    return tuple(number for number, line in enumerate(text.splitlines(), 1) if rule(system, line))


def mentions(system: str, root: Path) -> list[str]:
    """Where files of a checkout name a system from outside its own folders, as `path:line`."""
    return [
        f"{path}:{number}"
        for path in files(root)
        if not own(path, system) and _rule(path) is not None
        for number in lines_naming(system, path, (root / path).read_text(encoding="utf-8", errors="replace"))
    ]


def files(root: Path) -> tuple[str, ...]:
    """Files of a checkout that git keeps or would keep; where git can't tell, all but generated ones and those in hidden folders.

    Sorted, relative, with slashes.
    """
    listed = _listed_by_git(root) if (root / ".git").exists() else None
    return tuple(sorted(path for path in (_walked(root) if listed is None else listed) if (root / path).is_file()))


def _listed_by_git(root: Path) -> set[str] | None:
    import subprocess  # kept out of the start of every other command

    command = ("git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        listed = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 - fixed arguments
    except (OSError, subprocess.CalledProcessError):  # there is no git, or it does not trust a folder of another user
        return None
    return set(listed.stdout.split("\0")) - {""}


def _walked(root: Path) -> Iterator[str]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if not name.startswith(".") and name != "__pycache__"]
        here = Path(folder).relative_to(root)
        for name in names:
            if name != ".git" and not name.endswith(GENERATED) and here.parts[:2] != ("protos", "buf"):
                yield (here / name).as_posix()


def _rule(path: str) -> Callable[[str, str], bool] | None:
    file = PurePath(path)
    if file.parts[:2] == ("protos", "examples"):  # a consumer's, which calls a system by its name
        return None
    across = file.parent == PurePath("adapters") and file.suffix == ".yaml"
    if across or file.name == "values.yaml" or file.name.endswith(".values.yaml"):
        return None
    if file.suffix in CONFIGURATION or file.name in CONFIGURATION_NAMES:
        return _named_in_configuration
    return _named_in_code if file.suffix in CODE else None


def _named_in_code(system: str, line: str) -> bool:
    return system in line and _spelt(system).search(line) is not None


def _named_in_configuration(system: str, line: str) -> bool:
    if system not in line:
        return False
    said = re.split(r"(?:^|\s)#", line, maxsplit=1)[0]
    return _spelt(system).search(said) is not None or _bare(system).search(said) is not None


@cache
def _spelt(system: str) -> re.Pattern[str]:
    places = r"(?<!\w)(?:metip[./]|adapters?[./-]|sim-)"
    return re.compile(
        rf"{places}{system}(?!\w)"
        rf"|^\s*from (?:metip|adapters) import (?:.*\W)?{system}(?!\w)"
        rf"""|(?P<mark>["']){system}(?P=mark)"""
    )


@cache
def _bare(system: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w./-]){system}(?![\w./-])")
