"""`metip context`: names for meshes, so that none is reached by mistake. A table; each command's module is imported when it is used."""

from typing import Final

import click

from hub.cli import Commands, Sections

SECTIONS: Final[Sections] = {
    "Look": {
        "list": ("hub.cli.contexts.showing:list_", "List the contexts of this user, the one in use marked."),
        "show": ("hub.cli.contexts.showing:show", "Show one context, or the one that commands would use here, and why that."),
    },
    "Change": {
        "add": ("hub.cli.contexts.changing:add", "Add a context: a mesh by its home folder, or by its addresses."),
        "use": ("hub.cli.contexts.changing:use", "Use a context wherever no other is said, or none any more."),
        "remove": ("hub.cli.contexts.changing:remove", "Remove a context; the mesh and its files stay as they are."),
    },
}
"""Commands by section: where each one lives, and what `metip context --help` says of it."""


@click.group(
    cls=Commands,
    sections=SECTIONS,
    epilog="\b\nExamples:\n"
    "  metip context add force --kind live --home /srv/metip\n"
    "  metip context add far --kind test --console hub.test.example:8445 --authority ca.pem --token-file token\n"
    "  metip context use far\n"
    "  metip status --context force\n"
    "  METIP_CONTEXT=force metip messages groups\n\n"
    "A command takes, in this order: --home or --context, METIP_CONTEXT, METIP_HOME, the context in use, .metip. In a live context each "
    "command says so, and one that changes anything asks for the context's name; scripts give --yes and --because. docs/operations/cli.md.",
)
def context() -> None:
    """Name meshes (dev, test, live), and choose the one that commands are for."""
