"""The shells that words are completed in: click's own scripts and protocol, with names of this installation for whatever asks for one."""

from typing import Any, Final

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete, add_completion_class

VARIABLE: Final = "_METIP_COMPLETE"
"""Environment variable by which a shell's script asks for completions."""
PROGRAM: Final = "metip"


class Named(ShellComplete):
    """Completes an argument or option by its name, where nothing else knows what its values are."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Words that go on from an incomplete one."""
        found = super().get_completions(args, incomplete)
        if any(one.type == "plain" for one in found):
            return found
        parameter = self._parameter(args, incomplete)
        if parameter is None:
            return found
        from hub.cli.completing.names import NAMES

        names = NAMES.get("context" if _is_context(parameter, args) else parameter.name or "")
        return found if names is None else [CompletionItem(name) for name in names() if name.startswith(incomplete)]

    def _parameter(self, args: list[str], incomplete: str) -> click.Parameter | None:
        from click import shell_completion

        context = shell_completion._resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        found, _ = shell_completion._resolve_incomplete(context, args, incomplete)
        return found if isinstance(found, click.Parameter) else None


def _is_context(parameter: click.Parameter, args: list[str]) -> bool:
    """Whether it is the name of a context: `--context`, and the argument of `metip context show|use|remove`."""
    return parameter.name == "context" or (parameter.name == "name" and args[:1] == ["context"] and args[1:2] != ["add"])


class NamedBash(Named, BashComplete):
    """bash."""

    @staticmethod
    def _check_version() -> None:
        """Whoever asks for the script may do so from another shell than the one that it is for."""


class NamedZsh(Named, ZshComplete):
    """zsh."""


class NamedFish(Named, FishComplete):
    """fish."""


SHELLS: Final[dict[str, type[Named]]] = {"bash": NamedBash, "zsh": NamedZsh, "fish": NamedFish}


def install() -> None:
    """Has click use these where a shell's script asks."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str, main: Any) -> str:
    """What a shell reads once, to complete from then on."""
    return SHELLS[shell](main, {}, PROGRAM, VARIABLE).source()
