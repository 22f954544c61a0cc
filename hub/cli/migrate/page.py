"""The programme board's page: one file of HTML that needs nothing else, light or dark, on screen or paper."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final

from hub.cli import printing
from hub.cli.migrate.looking import figure_rows, is_back
from hub.cli.migrate.words import KINDS, PHASES, at, evidence_word, last, missing, position_word, since, what, who

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fff; --dim: #6b6b70; --line: #d9d9de; --good: #1a7f37; --bad: #c0262d; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --paper: #16161a; --dim: #9a9aa2; --line: #34343a; --good: #4ac26b; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p, .dim { margin: .2rem 0; } .dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--dim); font-size: .85rem; }
ol { list-style: none; margin: 0; padding: 0; } li { border-left: 3px solid var(--good); padding: .2rem 0 .2rem 1rem; margin: 0 0 1.2rem; }
li.back { border-color: var(--bad); } li.not { border-color: var(--line); color: var(--dim); }
.way { display: flex; gap: .3rem; margin: .6rem 0; } .way span { flex: 1; padding: .3rem; text-align: center; border: 1px solid var(--line); border-radius: .3rem; color: var(--dim); }
.way .here { color: var(--paper); background: var(--good); border-color: var(--good); font-weight: 600; }
@media print { li { break-inside: avoid; } }
"""  # noqa: E501 - a style sheet
WAY: Final = ("legacy", "shadow", "canary", "primary", "new")


def page(states: Sequence[Any], steps: Sequence[Any], now: datetime) -> str:
    """The page of one interface, or of all that move together, with their steps, oldest first."""
    name = ", ".join(last(one.interface) for one in states)
    backs = sum(map(is_back, steps))
    parts = [
        f"<h1>{escape(name)}</h1><p class=dim>From the old platform to the new one. As of {now:%Y-%m-%d %H:%M} UTC.</p>",
        *map(_standing, states),
        f"<h2>{printing.count(len(steps), 'step')}, {backs} back</h2>",
        f"<ol>{''.join(map(_step, steps))}</ol>" if steps else "<p>No step was taken yet.</p>",
    ]
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escape(name)}</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _standing(one: Any) -> str:
    here = position_word(one.position)
    way = "".join(
        f"<span class={'here' if here.startswith(state) else 'way-state'}>{escape(here if here.startswith(state) else state)}</span>"
        for state in WAY
    )
    found = [f"<h2>{escape(one.interface)}</h2><div class=way>{way}</div>"]
    found.append(f"<p>For {escape(since(one.since))}. Evidence since then: {escape(evidence_word(one.figures))}.</p>")
    if one.HasField("next"):
        found.append(f"<p>The next step, to {escape(position_word(one.next))}, still needs: {escape(missing(one.guards))}.</p>")
        rows = [("yes" if guard.passed else "no", guard.guard, guard.found, guard.remedy) for guard in one.guards]
        found.append(_table(("passes", "guard", "found", "what to do"), rows))
    found += [f"<p>Otherwise than the state says: {escape(text)}.</p>" for text in one.deviations]
    found += [f"<p class=dim>{escape(note)}</p>" for note in one.notes]
    return "".join(found)


def _step(step: Any) -> str:
    in_force = PHASES[step.phase] == "in force"
    css = "back" if is_back(step) else "" if in_force else "not"
    problem = f": {escape(step.problem)}" if step.problem else ""
    condition = f"{KINDS[step.kind]}, {PHASES[step.phase]}{problem}"
    lines = [f"<strong>{escape(what(step))}</strong> <span class=dim>{step.number}. {at(step.at)} UTC, {condition}</span>"]
    lines.append(f"By {escape(who(step))}. {escape(step.because)}.")
    if step.attested:
        lines.append(f"Attested by {escape(step.attested)}.")
    for move in step.moves:
        several = f"{last(move.interface)}: " if len(step.moves) > 1 else ""
        lines.append(escape(several) + _table((), figure_rows(move.figures)))
        lines += [f"Excused: {escape(one.guard)}: {escape(one.found)}." for one in move.guards if one.overridden]
    return f"<li class='{css}'>{''.join(f'<p>{line}</p>' if not line.endswith('</table>') else line for line in lines)}</li>"


def _table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"
