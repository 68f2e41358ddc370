from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from gateway.sandbox.markup import joined, tag

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=40)


class Seen(HTMLParser):
    """Notes what a browser would see."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(text=TEXTS, attribute=TEXTS)
def test_nothing_breaks_out(text: str, attribute: str) -> None:
    """Whatever a text says, it is read back as that text, and makes no element."""
    seen = Seen(tag("p", text, tag("b", text), class_="x", title=attribute))
    assert seen.elements == [("p", {"class": "x", "title": attribute}), ("b", {})]
    assert seen.text == text * 2


def test_how_markup_is_written() -> None:
    """Void elements have no end, names of attributes no underscore, and what is markup stays markup."""
    assert tag("meta", http_equiv="refresh", content="5") == '<meta http-equiv="refresh" content="5">'
    assert joined("<", tag("i", "a", tag("b")), "&") == "&lt;<i>a<b></b></i>&amp;"
