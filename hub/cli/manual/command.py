"""`metip help`: the help of a command by its name, and the manual's pages."""

from pathlib import Path

import click

from hub.cli.options import Problem
from hub.cli.printing import OK, count, mark


@click.command(
    "help",
    epilog="\b\nExamples:\n"
    "  metip help messages replay\n"
    "  metip help --man build/man                  a page of each command\n"
    "  man build/man/man1/metip-messages-replay.1\n",
)
@click.argument("command", nargs=-1, metavar="[COMMAND]...")
@click.option("--man", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Write pages for man to man1 in it.")
def help_(command: tuple[str, ...], man: Path | None) -> None:
    """Show the help of a command, or write the manual: a page of each, for man."""
    from hub.cli import main

    if man is not None:
        if command:
            raise click.UsageError("--man writes the pages of all commands; name none")
        _write(man)
        return
    context = click.Context(main, info_name="metip", **main.context_settings)
    found: click.Command = main
    for name in command:
        below = found.get_command(context, name) if isinstance(found, click.Group) else None
        if below is None:
            raise Problem(f"there is no command {' '.join(command)}", f"`{context.command_path} --help` lists those that there are")
        context, found = click.Context(below, info_name=name, parent=context, **below.context_settings), below
    click.echo(found.get_help(context))


def _write(folder: Path) -> None:
    from datetime import UTC, datetime
    from importlib.metadata import version

    from hub.cli import main
    from hub.cli.manual.pages import SECTION, commands, name_of, page

    where, written = folder / f"man{SECTION}", 0
    try:
        where.mkdir(parents=True, exist_ok=True)
        for path, command, context in commands(main, ("metip",)):
            text = page(path, command, context, version("metip"), datetime.now(UTC).date())
            (where / f"{name_of(path)}.{SECTION}").write_text(text, encoding="utf-8")
            written += 1
    except OSError as error:
        raise Problem(f"{where} can't be written: {error.strerror}") from None
    click.echo(f"{mark(OK)} {count(written, 'page')} in {where}")
