"""A group of commands, for those who do not know them yet: its help is whole, and a mistake is met with the remedy."""

from typing import Final

import click

WHOLE: Final = 1000
"""Characters: more than any sentence has."""


class Group(click.Group):
    """Lists its commands with their first sentences. click would cut them off to fit a line, where this wraps them."""

    group_class = type  # of a group within it, too

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command. A flag there that a command has is not called unknown."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            for name in self.list_commands(ctx):
                if any(error.option_name in parameter.opts for parameter in self.commands[name].params):
                    right = f"{ctx.command_path} {name} {error.option_name}"
                    raise click.UsageError(f"{error.option_name} belongs behind a command: {right}", ctx) from None
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; "help", which many try first, is none."""
        if args[0] == "help":
            click.echo(ctx.get_help())
            ctx.exit()
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.commands[name].get_short_help_str(WHOLE)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
