import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.commands.checking.found import Payload
from gateway.commands.checking.region import Region, region
from tests.wire.documents import TEXTS, VALUES

ROWS: list[tuple[str, Region]] = [  # an object in the fourth column of the third line, where its "sender" is
    ('{"sender": null}', Region(3, 5, 3, 19)),
    ('{"é😀": 1, "sender" :\n [1]}', Region(3, 14, 4, 5)),
    ('{\n  "sender": "a",\n  "sender": "b"\n}', Region(5, 3, 5, 16)),
    ('{"a": {"sender": 1}}', Region(3, 4, 3, 24)),
    ("{\n}", Region(3, 4, 4, 2)),
    (r'{"s\u0065nder": 1}', Region(3, 5, 3, 21)),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_where_a_member_stands(text: str, expected: Region) -> None:
    """Its key and its value, of several the last; where it is absent, the object."""
    assert region(Payload(3, 4, text.encode()), "sender") == expected


@settings(derandomize=True, max_examples=80)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), st.sampled_from([None, 2]))
def test_every_member_is_found(members: dict[str, object], indent: int | None) -> None:
    """Cut out of the file, a region is the member that it was asked for."""
    text = json.dumps(members, indent=indent)
    lines = text.split("\n")
    for name, value in members.items():
        place = region(Payload(1, 1, text.encode()), name)
        cut = lines[place.line - 1 : place.end_line]
        cut[-1] = cut[-1][: place.end_column - 1]
        cut[0] = cut[0][place.column - 1 :]
        assert json.loads("{" + "\n".join(cut) + "}") == {name: value}
