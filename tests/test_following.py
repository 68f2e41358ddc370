from pathlib import Path

from tests.following import Following


def test_each_event_is_given_once_and_whole(tmp_path: Path) -> None:
    """Half a line waits for its other half; whoever stops reading goes on where it was."""
    file = tmp_path / "log"
    file.write_bytes(b'{"n":1}\n{"n":2}\n{"n"')
    log = Following(file)
    assert next(log.new()) == {"n": 1}
    assert list(log.new()) == [{"n": 2}]
    assert list(log.new()) == []
    with file.open("ab") as more:
        more.write(b":3}\n")
    assert list(log.new()) == [{"n": 3}]
