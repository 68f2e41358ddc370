from tests.bench.bench import Cell, combine
from tests.bench.report import markdown, row_text
from tests.bench.rows import ROWS, WORKERS, WORKERS_ROWS, Measure, Row

ROW = Row(
    name="get",
    title="pass-through GET",
    proofs=(),
    measures=(Measure("cpu_us", "CPU µs/request", 1, compared=True), Measure("rps", "requests/s")),
    measure=lambda _subject, _effort, _context: {},
    rounds=lambda _: 1,
)
CELLS: dict[str, Cell] = {
    "gateway": {"cpu_us": 20.04, "rps": 50000.0},
    "envoy": {"cpu_us": 30.0, "rps": 33333.3},
    "nginx": "failed: hung up",
}


def test_a_row_is_aligned_and_compared_with_the_first_peer() -> None:
    """And says why there is no figure where there is none."""
    assert row_text(ROW, CELLS).splitlines() == [
        "pass-through GET                        gateway      envoy      nginx",
        "  CPU µs/request                           20.0       30.0          -",
        "    : gateway                              1.00       1.50",
        "  requests/s                             50,000     33,333          -",
        "  nginx: failed: hung up",
    ]


def test_the_comparison_names_the_peer_that_stands_in_for_a_missing_first_one() -> None:
    """A ratio to something else must not pass for one to the gateway."""
    text = row_text(ROW, {"gateway": "does not do this", "envoy": CELLS["envoy"]})
    assert "    : envoy                                           1.00\n" in text


def test_the_table_for_readers_has_what_is_compared() -> None:
    """A row for each figure that is compared, a column for each peer, a dash where there is none."""
    idle: dict[str, Cell] = {
        "gateway": {"mib_1000": 4.04, "kib": 4.1},
        "envoy": {"mib_1000": 15.0, "kib": 15.4},
        "nginx": "-",
    }
    assert markdown({"get": CELLS, "idle": idle}).splitlines() == [
        "| | gateway | envoy | nginx |",
        "|---|---|---|---|",
        "| pass-through GET: CPU µs/request | 20.0 | 30.0 | - |",
        "| idle connections: MiB per 1,000 | 4.0 | 15.0 | - |",
    ]


def test_workers_have_a_table_of_their_own() -> None:
    """Their columns are others."""
    one, two = ({"rps": rps, "most_rps": rps, "cpu_us": 1e6 / rps} for rps in (20_000.0, 34_000.0))
    assert markdown({"get": CELLS, "workers-get": {"1 process": one, "2 workers": two}}).splitlines()[2:] == [
        "| pass-through GET: CPU µs/request | 20.0 | 30.0 | - |",
        "",
        "| | 1 process | 2 workers |",
        "|---|---|---|",
        "| workers: pass-through GET: requests/s | 20,000 | 34,000 |",
        "| workers: pass-through GET: requests/s at most on these cores | 20,000 | 34,000 |",
        "| workers: pass-through GET: CPU µs/request | 50.0 | 29.4 |",
    ]


def test_a_figure_is_the_median_over_the_rounds_or_the_worst() -> None:
    """One disturbed round does not show; memory that grew in the first round does."""
    measures = (Measure("cpu_us", ""), Measure("growth_mib", "", worst=True))
    rounds = [{"cpu_us": cpu, "growth_mib": growth} for cpu, growth in ((20.0, 8.0), (95.0, 0.0), (21.0, 0.0))]
    assert combine(measures, rounds) == {"cpu_us": 21.0, "growth_mib": 8.0}


def test_rows_have_names_of_their_own() -> None:
    """--only means one of them."""
    names = [WORKERS, *(row.name for row in (*ROWS, *WORKERS_ROWS))]
    assert len(set(names)) == len(names)
