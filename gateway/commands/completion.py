"""close-gateway completion: what a shell needs to complete commands, flags and the values that are known."""

from typing import Final

import click

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_CLOSE_GATEWAY_COMPLETE"
"""In which the shell's script asks the command what may come next; click answers."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that has a shell complete commands and flags.

    \b
    bash, in ~/.bashrc:
      eval "$(close-gateway completion bash)"
    zsh, in ~/.zshrc, below compinit:
      eval "$(close-gateway completion zsh)"
    fish, in ~/.config/fish/config.fish:
      close-gateway completion fish | source
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"{shell} is not known.")
    click.echo(made(ctx.find_root().command, {}, "close-gateway", VARIABLE).source())
