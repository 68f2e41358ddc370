"""How a command ends that cannot do what it was asked."""

from typing import Any

import click


class Failed(click.ClickException):
    """An error with a text to show; exit code 1."""

    def show(self, file: Any = None) -> None:
        click.echo(f"close-gateway: {self.message}", file=file, err=True)


class Unconfigured(Failed):
    """A bad configuration, a wrong call, or nowhere to write to; exit code 2."""

    exit_code = 2
