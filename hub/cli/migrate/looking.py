"""`metip migrate evidence`, `history` and `report`: what proves a step, what was done, and the programme board's page of both."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from hub.cli import printing
from hub.cli.migrate.asking import INTERFACE, asked
from hub.cli.options import Problem, home_option, json_option
from hub.cli.printing import clean, title
from hub.cli.watching import watch_option

MOST: Final = 1000


@click.command(
    epilog="\b\nExamples:\n  metip migrate evidence metip.example.v1.ExampleService\n  metip migrate evidence ExampleService --json"
)
@INTERFACE
@home_option
@json_option
@watch_option
def evidence(interface: str, home: Path, as_json: bool) -> None:
    """Show what proves an interface's next step: figures since it stands where it stands, and each guard."""
    from hub.cli.migrate.words import document, guard_rows, position_word
    from metip.migration.v1.migration_service_pb2 import ListStatesRequest

    found = asked(home, "ListStates", ListStatesRequest(interface=interface), as_json=as_json).interfaces
    if as_json:
        kept = ("interface", "position", "since", "figures", "next", "guards")
        printing.print_json({"interfaces": [{key: value for key, value in document(one).items() if key in kept} for one in found]})
        return
    for one in found:
        click.echo(title(f"{one.interface}: {position_word(one.position)}"))
        for text in printing.aligned(figure_rows(one.figures), indent="  "):
            click.echo(text)
        if one.HasField("next"):
            click.echo(title(f"to {position_word(one.next)}"))
            printing.print_table(("guard", "found", "what to do"), guard_rows(one.guards))


def figure_rows(figures: Any) -> list[tuple[str, str]]:
    """Figures as rows of words."""
    from hub.cli.migrate.words import at

    rows = [("since", f"{at(figures.since)} UTC")]
    compared = f"{figures.compared:,}, of which {figures.differing:,} differ"
    agree = f"; {figures.parity:.3%} agree, at least {figures.lower:.3%} with 95 % confidence" if figures.compared else ""
    rows.append(("comparisons", compared + agree))
    for name, one in (("old platform", figures.old_platform), ("new platform", figures.new_platform)):
        times = f", 99 % within {one.p99_ms:,.0f} ms" if one.p99_ms else ""
        rows.append((name, f"{one.system}: {one.calls:,} calls, {one.errors:,} failed{times}"))
    if figures.differing_fields:
        rows.append(("differences", ", ".join(figures.differing_fields)))
    return rows


@click.command(epilog="\b\nExamples:\n  metip migrate history\n  metip migrate history metip.example.v1.ExampleService --limit 5 --json")
@click.argument("interface", default="", metavar="[INTERFACE]")
@click.option("--limit", type=click.IntRange(1, MOST), default=20, show_default=True, help="How many, the latest first.")
@home_option
@json_option
@watch_option
def history(interface: str, limit: int, home: Path, as_json: bool) -> None:
    """List steps, the latest first: who took them, who approved, why; and those that the hub took by itself."""
    from hub.cli.migrate.words import KINDS, PHASES, at, document, last, what, who
    from metip.migration.v1.migration_service_pb2 import ListStepsRequest

    found = asked(home, "ListSteps", ListStepsRequest(interface=interface, limit=limit), as_json=as_json).steps
    if as_json:
        printing.print_json({"steps": [document(one) for one in found]})
        return
    if not found:
        click.echo("no step was taken yet")
        return
    rows = [
        (
            str(one.number), at(one.at), ", ".join(last(move.interface) for move in one.moves), KINDS[one.kind], what(one), who(one),
            clean(one.because), PHASES[one.phase] + (f": {clean(one.problem)}" if one.problem else ""),
        )
        for one in found
    ]  # fmt: skip
    printing.print_table(("step", "at (UTC)", "interface", "kind", "what", "by", "because", "condition"), rows)


@click.command(
    epilog="\b\nExamples:\n  metip migrate report metip.example.v1.ExampleService\n"
    "  metip migrate report metip.example.v1.ExampleService --html board.html\n"
    "  metip migrate report metip.example.v1.ExampleService --json\n\n"
    "Nothing in it is personal. What differs field by field, and why that was accepted: metip parity report."
)
@INTERFACE
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write a page that needs nothing else.")
@home_option
@json_option
def report(interface: str, html: Path | None, home: Path, as_json: bool) -> None:
    """Write the programme board's page: where an interface stands, each step with date, author, approver and evidence, each step back."""
    from hub.cli.migrate.words import document
    from metip.migration.v1.migration_service_pb2 import ListStatesRequest, ListStepsRequest

    states = asked(home, "ListStates", ListStatesRequest(interface=interface), as_json=as_json).interfaces
    steps = list(reversed(asked(home, "ListSteps", ListStepsRequest(interface=interface, limit=MOST), as_json=as_json).steps))
    if html is not None:
        from hub.cli.migrate.page import page

        try:
            html.write_text(page(states, steps, datetime.now(UTC)), encoding="utf-8")
        except OSError as error:
            raise Problem(f"{html} can't be written: {error.strerror}") from None
        click.echo(f"{html} written")
    elif as_json:
        printing.print_json({"interfaces": [document(one) for one in states], "steps": [document(one) for one in steps]})
    else:
        for text in lines(states, steps):
            click.echo(text)


def lines(states: Any, steps: Any) -> list[str]:
    """The page as text."""
    from hub.cli.migrate.words import evidence_word, missing, position_word, since

    found = []
    for one in states:
        found.append(title(f"{one.interface}: {position_word(one.position)}") + f", for {since(one.since)}")
        found.append(f"  evidence since then: {evidence_word(one.figures)}")
        if one.HasField("next"):
            found.append(f"  the next step, to {position_word(one.next)}, still needs: {missing(one.guards)}")
        found += [f"  otherwise than the state says: {clean(text)}" for text in one.deviations]
    backs = sum(1 for one in steps if is_back(one))
    found += ["", title(f"{printing.count(len(steps), 'step')}, {printing.count(backs, 'of them back', 'of them back')}")]
    for one in steps:
        found += ["", *step_lines(one)]
    return found


def is_back(step: Any) -> bool:
    """Whether a step led back and is, or was, in force."""
    from metip.migration.v1 import step_pb2

    kinds = (step_pb2.STEP_KIND_BACK, step_pb2.STEP_KIND_BREACH, step_pb2.STEP_KIND_EXPIRED)
    return step.kind in kinds and step.phase == step_pb2.STEP_PHASE_APPLIED


def step_lines(step: Any) -> list[str]:
    """One step as text."""
    from hub.cli.migrate.words import KINDS, PHASES, at, what, who

    problem = f": {clean(step.problem)}" if step.problem else ""
    found = [
        f"{step.number}. {at(step.at)} UTC  {title(what(step))}  ({KINDS[step.kind]}, {PHASES[step.phase]}{problem})",
        f"   by {who(step)}",
        f"   because: {clean(step.because)}",
    ]
    if step.attested:
        found.append(f"   attested by: {clean(step.attested)}")
    for move in step.moves:
        rows = [(name, words) for name, words in figure_rows(move.figures)]
        found += printing.aligned(rows, indent="   ")
        excused = [one for one in move.guards if one.overridden]
        found += [f"   excused: {one.guard}: {clean(one.found)}" for one in excused]
    return found
