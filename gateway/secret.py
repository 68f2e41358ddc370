"""A value that must not be read by chance."""


class Secret:
    """Holds a text and prints as stars, so that no log, traceback or settings dump shows it.

    `reveal` is the one way to the text: searching for it finds every place that handles one in the open.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)
