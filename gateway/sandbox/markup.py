"""HTML that cannot be broken out of: a text is escaped, whatever it is, and only `tag` makes markup.

Source  WHATWG HTML, 13.1.2: what has to be escaped in text and in double-quoted attributes; void elements.
"""

from html import escape
from typing import Final

VOID: Final = frozenset({"img", "link", "meta"})


class Html(str):
    """Markup. Made by `tag` alone."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str) -> Html:
    """Make an element. What is inside is text, unless it is `Html`; `class_` is the attribute class."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{''.join(map(_safe, inside))}</{name}>")


def joined(*parts: str) -> Html:
    """Put elements and texts one after the other."""
    return Html("".join(map(_safe, parts)))


def _safe(part: str) -> str:
    return part if isinstance(part, Html) else escape(part)
