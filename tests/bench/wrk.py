"""The load that costs least: wrk, one thread of it, sending the very bytes of a sample.

What it spends is taken from the cores that the proxy could have used, so that it matters how little that is. It tells
answers apart by their status alone: below 400, or not.
Source  wrk's SCRIPTING: `wrk.format` gives the request, which is made once where no `request` is defined; `done` is
        handed the summary, whose `errors.status` counts what was answered with 400 or above.
"""

import json
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.bench.load import CONNECTIONS, GRACE, WrongAnswer
from tests.bench.peers.peer import program
from tests.bench.traffic import Sample

SCRIPT: Final = """
wrk.format = function() return "{request}" end
done = function(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  local told = '{{"requests": %d, "us": %d, "refused": %d, "failed": %d}}'
  print(string.format(told, summary.requests, summary.duration, errors.status, failed))
end
"""


def found() -> bool:
    """Tell whether it is installed."""
    return shutil.which("wrk") is not None


def script(sample: Sample) -> str:
    """Write the script that sends a sample, byte by byte as it is."""
    return SCRIPT.format(request="".join(f"\\{byte:03d}" for byte in sample.data))


def load(port: int, sample: Sample, seconds: int, folder: Path) -> tuple[int, float, int]:
    """Load a port; give the requests answered, the seconds that took, and the nanoseconds of CPU that wrk spent."""
    source = folder / "wrk.lua"
    source.write_text(script(sample), encoding="ascii")
    command = (program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(source))
    before = _spent_ns()
    ended = subprocess.run(  # noqa: S603 # the command is the bench's own
        (*command, f"http://127.0.0.1:{port}/"), capture_output=True, check=False, text=True, timeout=seconds + GRACE
    )
    if ended.returncode:
        raise WrongAnswer(f"wrk ended with {ended.returncode}: {ended.stderr.strip()[:200]}")
    requests, took = read(ended.stdout, refused=sample.status >= 400)
    return requests, took, _spent_ns() - before


def read(output: str, *, refused: bool) -> tuple[int, float]:
    """Read what the script printed last: requests, seconds. Raises WrongAnswer where an answer was otherwise."""
    told = json.loads(output.splitlines()[-1])
    wrong = told["failed"] + abs(told["requests"] * refused - told["refused"])
    if wrong or not told["requests"]:
        raise WrongAnswer(f"of {told['requests']} requests {wrong} failed, or were answered otherwise")
    return told["requests"], told["us"] / 1e6


def _spent_ns() -> int:
    """Give the CPU time of all processes that were started and waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((usage.ru_utime + usage.ru_stime) * 1e9)
