"""The law of imports has teeth: planted in an empty copy of the layout, each breach is found, and systems nobody listed are among them."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from checkout import ROOT

EMPTY = (
    "metip/contracts/__init__.py",
    "metip/identifiers/__init__.py",
    *(f"adapters/{name}" for name in ("__init__.py", "kit/__init__.py", "kit/call.py")),
    *(f"adapters/{system}/{name}.py" for system in ("one", "two") for name in ("__init__", "adapter", "translate", "wire")),
    *(f"hub/{name}.py" for name in ("__init__", "__main__", "server")),
    *(
        f"hub/{package}/__init__.py"
        for package in (
            "access",
            "api",
            "catalogue",
            "cli",
            "console",
            "contracts",
            "estate",
            "exchange",
            "identity",
            "journey",
            "laptop",
            "ledger",
            "mesh",
            "migration",
            "parity",
            "telemetry",
            "stubs",
            "traffic",
        )
    ),
)
LAWFUL = {
    "adapters.one.adapter": "adapters.one.wire",
    "adapters.one.wire": "adapters.kit.call",
    "adapters.kit.call": "metip.contracts",
    "adapters.one.translate": "google.protobuf",
    "hub.contracts": "metip.contracts",
    "hub.mesh": "hub.contracts",
    "hub.exchange": "hub.contracts",
    "hub.ledger": "metip.contracts",
    "hub.access": "hub.mesh",
    "hub.estate": "hub.migration",
    "hub.migration": "hub.access",
    "hub.traffic": "hub.mesh",
    "hub.parity": "hub.exchange",
    "hub.journey": "hub.ledger",
    "hub.api": "hub.access",
    "hub.server": "hub.telemetry",
    "hub.telemetry": "hub.api",
    "hub.cli": "hub.laptop",
    "hub.laptop": "hub.identity",
}
UNLAWFUL = {
    "metip.contracts": ("hub.mesh", "adapters.two.wire", "grpc"),
    "metip.identifiers": ("asyncio",),
    "hub.console": ("hub.api", "hub.mesh"),
    "hub.contracts": ("adapters.kit.call", "hub.mesh"),
    "hub.identity": ("hub.mesh",),
    "hub.access": ("hub.api", "hub.migration", "hub.server"),
    "hub.estate": ("hub.api", "hub.server"),
    "hub.migration": ("hub.api", "hub.estate", "hub.server"),
    "hub.traffic": ("hub.access", "hub.api"),
    "hub.mesh": ("hub.access", "hub.api", "hub.exchange", "hub.traffic"),
    "hub.exchange": ("hub.api", "hub.mesh"),
    "hub.ledger": ("hub.api", "hub.exchange", "hub.mesh"),
    "hub.parity": ("hub.api", "hub.traffic"),
    "hub.api": ("hub.server", "hub.telemetry"),
    "hub.telemetry": ("hub.server",),
    "hub.journey": ("hub.api", "hub.server"),
    "hub.server": ("hub.cli",),
    "adapters.kit.call": ("adapters.one.adapter", "hub.api"),
    "adapters.one.adapter": ("adapters.two.adapter",),
    "adapters.two.wire": ("google.protobuf", "asyncio"),
    "adapters.two.translate": ("aiohttp", "lxml"),
}
RUN = "import sys; sys.path[:] = [{here!r}, *(p for p in sys.path if not p.startswith({checkout!r}) or 'site-packages' in p)];"
LINT = "from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename={config!r}, no_cache=True))"


def test_lawful_imports_pass(tmp_path: Path) -> None:
    code, said = _lint(tmp_path, LAWFUL.items())
    assert code == 0, said


def test_every_unlawful_import_is_found(tmp_path: Path) -> None:
    code, said = _lint(tmp_path, [(importer, imported) for importer, all_of_them in UNLAWFUL.items() for imported in all_of_them])
    assert code == 1, said
    found = set(re.findall(r"([\w.]+) -> ([\w.]+)", said))
    expected = {(importer, _as_reported(imported)) for importer, all_of_them in UNLAWFUL.items() for imported in all_of_them}
    assert expected - found == set(), said


def _as_reported(module: str) -> str:
    """Other people's packages are reported as a whole."""
    top = module.partition(".")[0]
    return module if top in ("adapters", "hub", "metip") else top


def _lint(folder: Path, imports: Iterable[tuple[str, str]]) -> tuple[int, str]:
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path in EMPTY:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    for importer, imported in imports:
        module = folder / importer.replace(".", "/")
        file = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
        with file.open("a", encoding="utf-8") as written:
            written.write(f"import {imported}\n")
    script = (RUN + LINT).format(here=str(folder), checkout=str(ROOT), config=str(folder / "pyproject.toml"))
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr
