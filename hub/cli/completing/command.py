"""`metip completion`: the script by which a shell completes commands, options, operations, systems, subscriptions and contexts."""

import click

SHELLS = ("bash", "zsh", "fish")  # as in hub.cli.completing.shells, which is not imported for the sake of --help; a test compares them


@click.command(
    epilog="\b\nExamples:\n"
    "  metip completion bash > ~/.local/share/bash-completion/completions/metip\n"
    "  metip completion zsh > ~/.zfunc/_metip                     a folder that is in $fpath\n"
    "  metip completion fish > ~/.config/fish/completions/metip.fish\n"
    '  eval "$(metip completion bash)"                            for this shell only\n\n'
    "Names come from the installed contracts and from your contexts; no mesh is asked."
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script by which a shell completes the words of `metip`."""
    from hub.cli import main
    from hub.cli.completing.shells import script

    click.echo(script(shell, main))
