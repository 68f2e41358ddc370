import re

from gateway.sandbox.ids import new_id


def test_an_id_looks_like_one_of_closes() -> None:
    """A kind, then 43 letters and digits, any of which may come anywhere; and no id comes twice."""
    made = {new_id("acti") for _ in range(5000)}
    assert len(made) == 5000
    assert all(re.fullmatch("acti_[0-9A-Za-z]{43}", one) for one in made)
    assert [len({one[place] for one in made}) for place in range(5, 48)] == [62] * 43
