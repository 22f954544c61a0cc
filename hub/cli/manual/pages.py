"""Pages for `man`, from what each command says of itself; pure."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import click

from hub.cli.manual.examples import split

SECTION: Final = "1"
STATUS: Final = (
    ("0", "All is well."),
    ("1", "Something is wrong, or was refused; it is said on standard error, with its fix."),
    ("2", "The command was not understood."),
)
ENVIRONMENT: Final = (
    ("METIP_CONTEXT", "Names the context, as --context does."),
    ("METIP_HOME", "Names the folder of the mesh, as --home does; METIP_CONTEXT goes before it."),
    ("XDG_CONFIG_HOME", "Holds metip/contexts, where contexts are kept; ~/.config unless it is set."),
)


def commands(
    command: click.Command, path: tuple[str, ...], parent: click.Context | None = None
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    """A command and all below it, each with its path and its context."""
    context = click.Context(command, info_name=path[-1], parent=parent, **command.context_settings)
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands(below, (*path, name), context)


def name_of(path: tuple[str, ...]) -> str:
    """The name of a command's page, `metip-messages-list`."""
    return "-".join(path)


def page(path: tuple[str, ...], command: click.Command, context: click.Context, version: str, today: date) -> str:
    """The page of a command."""
    words = " ".join((command.help or "").partition("\n\n")[0].split())
    examples, rest = split(command.epilog)
    lines = [
        f'.TH "{name_of(path).upper()}" "{SECTION}" "{today.isoformat()}" "metip {version}" "MetIP Hub"',
        ".SH NAME",
        f"{_roff(name_of(path))} \\- {_roff(words)}",
        ".SH SYNOPSIS",
        rf"\fB{_roff(' '.join(path))}\fR {_roff(' '.join(command.collect_usage_pieces(context)))}",
        ".SH DESCRIPTION",
        *_paragraphs(command.help or ""),
    ]
    options = [one for one in command.get_params(context) if isinstance(one, click.Option) and not one.hidden]
    if options:
        lines.append(".SH OPTIONS")
        for option in options:
            record = option.get_help_record(context)
            if record is not None:
                lines += [".TP", rf"\fB{_roff(record[0])}\fR", _roff(record[1])]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                lines += [".TP", rf"\fB{_roff(name_of((*path, name)))}\fR({SECTION})", _roff(below.get_short_help_str(200))]
    if examples:
        lines.append(".SH EXAMPLES")
        for one in examples:
            lines += [".PP", ".nf", _roff(one.line), ".fi", *([".RS", _roff(one.remark), ".RE"] if one.remark else [])]
    if rest:
        lines += [".SH NOTES", *_paragraphs(rest)]
    lines += [".SH EXIT STATUS", *_terms(STATUS), ".SH ENVIRONMENT", *_terms(ENVIRONMENT)]
    if len(path) > 1:
        lines += [".SH SEE ALSO", rf"\fB{_roff(name_of(path[:-1]))}\fR({SECTION})"]
    return "\n".join(lines) + "\n"


def _terms(pairs: Any) -> Iterator[str]:
    for term, words in pairs:
        yield from (".TP", rf"\fB{_roff(term)}\fR", _roff(words))


def _paragraphs(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text.strip()):
        if "\b" in block:
            yield from (".PP", ".nf", *(_roff(line.rstrip()) for line in block.replace("\b", "").strip("\n").splitlines()), ".fi")
        else:
            yield from (".PP", _roff(" ".join(block.split())))


def _roff(text: str) -> str:
    r"""Text that groff takes as it is: no line begins as a request, and whatever is special or not ASCII is what it looks like."""
    text = click.unstyle(text).replace("\\", r"\e").replace("-", r"\-")
    lines = (rf"\&{line}" if line.startswith((".", "'")) else line for line in text.splitlines())
    return "".join(sign if sign.isascii() else rf"\[u{ord(sign):04X}]" for sign in "\n".join(lines))
