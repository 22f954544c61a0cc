"""`python -m hub.stubs`, which `make stubs` runs: generates clients and says what it made, what it left out, and why."""

import time
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import click

import metip.contracts
from hub.stubs.compiling import StubsError
from hub.stubs.languages import LANGUAGES, Wanted
from hub.stubs.packages import GO_MODULE
from hub.stubs.tools import ToolchainMissingError


@click.command(
    epilog="\b\nExamples:\n"
    "  make stubs                               all four languages\n"
    '  make stubs languages="go java"           two of them\n'
    "  python -m hub.stubs go --go-module git.example.org/integration/contracts\n"
)
@click.argument("languages", nargs=-1, type=click.Choice(tuple(LANGUAGES)))
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/stubs"), show_default=True, help="Folder to write to.")
@click.option("--tools", type=click.Path(path_type=Path), default=Path("build/tools"), show_default=True, help="Folder for plugins.")
@click.option("--go-module", default=GO_MODULE, show_default=True, metavar="PATH", help="Module path of the Go sources.")
@click.option("--java-prefix", default="", metavar="PACKAGE", help="Goes before metip.<system>.v1 in Java.")
def main(languages: tuple[str, ...], out: Path, tools: Path, go_module: str, java_prefix: str) -> None:
    """Generate clients of the interfaces on the mesh: a Python wheel, and Go, Java and TypeScript sources.

    A language whose toolchain is not on this machine is passed over and named, unless it was asked for; then the command fails.
    """
    descriptors = (files(metip.contracts) / metip.contracts.DESCRIPTORS).read_bytes()
    wanted = Wanted(descriptors, version("metip"), out, tools, go_module, java_prefix)
    failed = []
    for language in languages or LANGUAGES:
        started = time.monotonic()
        click.echo(f"{language:11} ", nl=False)
        try:
            made = LANGUAGES[language](wanted)
        except ToolchainMissingError as error:
            failed += [language] * bool(languages)
            click.echo(f"NOT MADE: {error}")
        except StubsError as error:
            failed.append(language)
            click.echo(f"FAILED: {error}")
        else:
            click.echo(f"{out / language}: {made} ({time.monotonic() - started:.1f} s)")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
