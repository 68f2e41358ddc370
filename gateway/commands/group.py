"""A group of commands, whose help tells of each in a whole sentence."""

from typing import Final

import click

WHOLE: Final = 1000
"""Characters: more than any sentence has."""


class Group(click.Group):
    """Lists its commands with their first sentences. click would cut them off to fit a line, where this wraps them."""

    group_class = type  # of a group within it, too

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.commands[name].get_short_help_str(WHOLE)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
