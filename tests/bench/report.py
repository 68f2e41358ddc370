"""How a run is shown: aligned text, row by row as they are measured; at the end a table, and everything as JSON."""

from collections.abc import Mapping, Sequence

from tests.bench.bench import Cell
from tests.bench.rows import ROWS, WORKERS_ROWS, Measure, Shown

LABEL_WIDTH = 36
CELL_WIDTH = 11


def row_text(row: Shown, cells: Mapping[str, Cell]) -> str:
    """Write one row: a line for each figure, a column for each peer, ratios to the first peer that was measured."""
    timed = {name: cell for name, cell in cells.items() if not isinstance(cell, str)}
    lines = [_line(row.title, cells)]
    for measure in row.measures:
        lines.append(_line(f"  {measure.label}", [_figure(cell, measure) for cell in cells.values()]))
        if measure.compared and timed:
            name, base = next(iter(timed.items()))
            ratios = [_ratio(cell, measure, base[measure.key]) for cell in cells.values()]
            lines.append(_line(f"    : {name}", ratios))
    lines += [f"  {name}: {cell}" for name, cell in cells.items() if isinstance(cell, str)]
    return "\n".join(lines) + "\n"


def markdown(results: Mapping[str, Mapping[str, Cell]]) -> str:
    """Write the tables that stand in the README: what is compared, in rows; a column for each peer, or for each number
    of workers.
    """
    tables = (_table(rows, results) for rows in (ROWS, WORKERS_ROWS))
    return "\n".join(table for table in tables if table)


def _table(rows: Sequence[Shown], results: Mapping[str, Mapping[str, Cell]]) -> str:
    told = [row for row in rows if row.name in results]
    if not told:
        return ""
    columns = list(results[told[0].name])
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for row in told:
        for measure in (measure for measure in row.measures if measure.compared):
            figures = " | ".join(_figure(cell, measure) for cell in results[row.name].values())
            lines.append(f"| {row.title}: {measure.label} | {figures} |")
    return "\n".join(lines) + "\n"


def _line(label: str, cells: Sequence[str] | Mapping[str, Cell]) -> str:
    return (f"{label:<{LABEL_WIDTH}}" + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells)).rstrip()


def _figure(cell: Cell, measure: Measure) -> str:
    return "-" if isinstance(cell, str) else f"{cell[measure.key]:,.{measure.digits}f}"


def _ratio(cell: Cell, measure: Measure, base: float) -> str:
    return "" if isinstance(cell, str) or base <= 0 else f"{cell[measure.key] / base:.2f}"
