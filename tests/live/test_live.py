"""Who has a witness, and who has none."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.live.live import Live
from gateway.live.recording import HEAD, Unrecordable
from gateway.log import make_log
from tests.forwarding.emails import write
from tests.gateways import running
from tests.raw import ask
from tests.recording import OK, answers, recording


async def test_a_gateway_has_no_witness_unless_it_is_given_one() -> None:
    """So nobody hears what comes, and nobody is told what is found in it."""
    async with recording(answers(OK)) as upstream, running(upstream.url) as gateway:
        answer = await ask(gateway.port, write(b'{"status": "outbox", "subject": "CANARY"}'))
        serving = gateway.gateway.serving
        assert (answer.status, serving._witness) == (400, None)
        assert serving._beside.witness is None
        assert serving.listener._server.handle == serving.road.dispatcher.dispatch
        assert serving._downstream.on_end is None
        assert b"CANARY" not in gateway.written


def test_what_serves_does_not_even_load_the_view() -> None:
    """Neither a gateway in one process nor its workers; dev loads it when it runs."""
    code = (
        "import sys, gateway.cli, gateway.app, gateway.workers.worker, gateway.workers.supervisor\n"
        "print([name for name in sys.modules if name.startswith('gateway.live')])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603 - ours
    assert loaded.stdout == "[]\n"


def test_without_a_screen_and_a_recording_nobody_watches() -> None:
    """What --json asks for is what serve does."""
    log = make_log("info", console=False, stream=io.BytesIO())
    live = Live("info", log, None, quiet=False)
    assert (live.witness, live.log) == (None, log)
    live.close()


async def test_a_recording_needs_no_screen(tmp_path: Path) -> None:
    """At its end the log tells how much there is, and where."""
    lines = io.BytesIO()
    file = tmp_path / "a.har"
    live = Live("info", make_log("info", console=False, stream=lines), file, quiet=False)
    async with recording(answers(OK)) as upstream, running(upstream.url, witness=live.witness) as gateway:
        await ask(gateway.port, write(b'{"status": "draft"}'))
    live.close()
    assert f'"event":"recorded","file":"{file}","requests":1}}'.encode() in lines.getvalue()
    nothing = Live("info", make_log("info", console=False, stream=lines), file, quiet=False)
    nothing.close()
    assert lines.getvalue().count(b"recorded") == 1
    assert [live.records, nothing.records] == [str(file), f"{file}, behind 1 earlier request"]


def test_it_is_told_that_a_recording_was_cut_off(tmp_path: Path) -> None:
    """In the first lines, which name how much is left of it."""
    file = tmp_path / "a.har"
    file.write_bytes(HEAD + b"{},\n{},\n{")
    live = Live("info", make_log("info", console=False, stream=io.BytesIO()), file, quiet=False)
    live.close()
    assert live.records == f"{file}, behind 2 earlier requests; one that was cut off is taken out"


def test_what_cannot_be_recorded_to_is_told_before_anything_starts(tmp_path: Path) -> None:
    """And the file is left as it is."""
    file = tmp_path / "notes"
    file.write_text("precious")
    with pytest.raises(Unrecordable):
        Live("info", make_log("info", console=False, stream=io.BytesIO()), file, quiet=False)
    assert file.read_text() == "precious"
