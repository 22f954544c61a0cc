"""`metip new <system>`: writes the contract and the adapter of a small system that works, for somebody to change into a real one.

The law: a system is its two folders and its tests, so nothing else is written or edited, and nothing is written at all unless
everything can be.
What is written passes `make check` and `make test` as it stands. Templates are the files under `scaffold/`, with `string.Template` names.
"""

import keyword
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from string import Template
from typing import NamedTuple

import click

from hub.cli.naming import mentions

TEMPLATES = Path(__file__).parent / "scaffold"
CHECKOUT = Path(__file__).parent.parent.parent
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
ASSESSED_FOR = timedelta(days=365)
"""After this a contract does not load until its impact assessment was reviewed."""
MISLEADING = frozenset({"adapters", "buf", "example", "google", "hub", "kit", "metip", "tests"})
"""Names that the platform's own imports, or the documentation's examples, would be mistaken for."""


class Plan(NamedTuple):
    """What would be written: contents by path within the checkout."""

    system: str
    files: Mapping[Path, str]


def plan(system: str, *, owner: str, today: date) -> Plan:
    """The files of a new system. Raises `ValueError` when the owner can't stand in a contract."""
    if not owner.strip() or len(owner) > 100 or not owner.isprintable() or '"' in owner or "\\" in owner:
        raise ValueError("the owner is a role or a unit, in up to 100 characters without quotation marks or backslashes")
    values = {
        "system": system,
        "Name": "".join(part.capitalize() for part in system.split("_")),
        "title": " ".join(part.capitalize() for part in system.split("_")),
        "owner": owner.strip(),
        "dpia": f"DRAFT-{system.upper().replace('_', '-')}",
        "review_by": (today + ASSESSED_FOR).isoformat(),
    }
    return Plan(system, dict(_rendered(system, values)))


def faults(system: str, root: Path) -> list[str]:
    """Why a system can't have that name in this checkout; empty when it can."""
    if not NAME.fullmatch(system) or "__" in system or system.endswith("_"):
        return [f"{system!r} is no name for a system: a letter, then 1 to 30 small letters, digits and single underscores between them"]
    if keyword.iskeyword(system):
        return [f"{system!r} is a word of Python's"]
    if system in MISLEADING:
        return [f"{system!r} is the platform's own"]
    taken = [path for parent in ("protos/metip", "adapters", "tests/adapters") for path in (f"{parent}/{system}", f"{parent}/{system}.py")]
    found = [f"{path} exists" for path in taken if (root / path).exists()]
    if found:
        return found
    # A system is named nowhere but in its own folders, which a structure test proves; so a word that is in use is no name.
    used = [f"{where} already uses the word: choose another name" for where in mentions(system, root)]
    return used[:5] + ([f"and {len(used) - 5} places more"] if len(used) > 5 else [])


def write(plan: Plan, root: Path) -> None:
    """Writes all files, or none: every one that exists is named in a `FileExistsError` before the first is written."""
    existing = [str(path) for path in plan.files if (root / path).exists()]
    if existing:
        raise FileExistsError(f"nothing was written, since there is already {', '.join(existing)}")
    for path, text in plan.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _rendered(system: str, values: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    contract, adapter = Path("protos", "metip", system, "v1"), Path("adapters", system)
    places = {
        "service.proto": contract / f"{system}_service.proto",
        "settings.proto": contract / "settings.proto",
        "corpus.py": Path("tests", "adapters", system, "corpus.py"),
    }
    # The contract comes first, in this order and in everybody's work.
    for template in sorted(TEMPLATES.rglob("*.tmpl"), key=lambda path: (path.suffixes[0] != ".proto", path)):
        name = str(template.relative_to(TEMPLATES)).removesuffix(".tmpl")
        text = Template(template.read_text(encoding="utf-8")).substitute(values)
        yield places.get(name, adapter / name), _with_sorted_imports(text) if name.endswith(".py") else text


def _with_sorted_imports(text: str) -> str:
    """Imports in the order that the linter wants, which depends on where the system's name falls in the alphabet."""
    statement = r"from [\w.]+ import (?:[^(\n]+|\([^)]*\))\n"

    def ordered(block: re.Match[str]) -> str:
        return "".join(sorted(re.findall(statement, block[0]), key=lambda line: line.split()[1]))

    return re.sub(rf"(?:{statement})+", ordered, text)


@click.command(epilog="\b\nExamples:\n  metip new demo_system\n  metip new custody --owner 'Met Detention' --dry-run")
@click.argument("system")
@click.option("--owner", default="Integration platform", show_default=True, help="Who answers for the interface: a role or a unit.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=CHECKOUT,
    help="The checkout to write to; default: the one that this command runs from.",
)
def new(system: str, owner: str, dry_run: bool, root: Path) -> None:
    """Scaffold SYSTEM: its contract, its adapter, a simulator and what is fuzzed, which work and pass all checks untouched.

    The name becomes the package `metip.SYSTEM.v1` and the folder `adapters/SYSTEM`: small letters, digits and underscores. Nothing is
    overwritten, and no other file is edited.
    """
    if not (root / "protos" / "metip").is_dir() or not (root / "adapters").is_dir():
        raise click.ClickException(f"{root} is no checkout: it has no protos/metip and adapters; name one with --root")
    wrong = faults(system, root)
    if wrong:
        raise click.ClickException("\n  ".join(["nothing was written", *wrong]))
    try:
        planned = plan(system, owner=owner, today=date.today())  # noqa: DTZ011 - an assessment is due by the local calendar
        if not dry_run:
            write(planned, root)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("would write" if dry_run else "wrote")
    for path in planned.files:
        click.echo(f"  {path}")
    click.echo(_next_steps(planned))


def _next_steps(planned: Plan) -> str:
    contract = next(path for path in planned.files if path.name.endswith("_service.proto"))
    return f"""
Next:
  1. make check test   passes now, as it stands; both run `make gen` when a contract changed
  2. {contract}
                       say what the system does, who owns it, which impact assessment covers it; have it reviewed first and alone
  3. make gen          generates the stubs again
  4. adapters/{planned.system}/
                       wire.py for its format, translate.py, upstream.py, simulator.py, and a case for each thing that it does
  5. tests/adapters/{planned.system}/
                       tests of your own; corpus.py says what `make fuzz` tries
  6. metip up          runs it with everything else; no other file needs to change"""
