"""What an expression of PromQL asks for, held against the metrics that a gateway has."""

from collections.abc import Iterator
from typing import Any, Final

import promql_parser as promql

from gateway.admin.metrics import FAMILIES, PREFIX, UNPREFIXED

BUCKETS: Final = ("bucket", "sum", "count")
TARGET: Final = frozenset({"job", "instance"})
"""Labels that Prometheus gives whatever it scrapes."""


def _exposed() -> Iterator[tuple[str, frozenset[str]]]:
    for name, family in FAMILIES.items():
        full, labels = name if name.startswith(UNPREFIXED) else PREFIX + name, frozenset(family.labels)
        match family.kind:
            case "counter":
                yield f"{full}_total", labels
            case "histogram":
                for part in BUCKETS:
                    yield f"{full}_{part}", labels | ({"le"} if part == "bucket" else set())
            case "gauge":
                yield full, labels


KNOWN: Final = {"up": frozenset[str]()} | dict(_exposed())
"""All there is to ask for, and the labels of each."""


def mistakes(expression: str) -> list[str]:
    """Tell what an expression asks for that there is not. Raises ValueError where it does not parse.

    A label may come from any metric within the reach of what names it: an aggregation sees those below it.
    """
    wrong: list[str] = []

    def look(part: promql.Expr) -> None:
        if isinstance(part, promql.VectorSelector):
            if part.name not in KNOWN:
                wrong.append(f"there is no metric {part.name}")
                return
            known = KNOWN[part.name] | TARGET
            wrong.extend(
                f"{part.name} has no label {matcher.name}"
                for matcher in part.matchers.matchers
                if matcher.name not in known
            )
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None:
            below = labels_in(part.expr)
            wrong.extend(f"nothing has the label {label}" for label in part.modifier.labels if label not in below)

    promql.walk(promql.parse(expression), pre_visit=look)
    return wrong


def metrics_in(expression: promql.Expr) -> set[str]:
    """Find the metrics that an expression asks for."""
    found: set[str] = set()

    def look(part: promql.Expr) -> None:
        if isinstance(part, promql.VectorSelector) and part.name is not None:
            found.add(part.name)

    promql.walk(expression, pre_visit=look)
    return found


def labels_in(expression: promql.Expr) -> frozenset[str]:
    """Find the labels that what an expression asks for has."""
    return TARGET.union(*(KNOWN.get(name, frozenset()) for name in metrics_in(expression)))


def values_of(expression: str, label: str) -> set[str]:
    """Find the values that an expression compares a label with, one by one."""
    found: set[str] = set()

    def look(part: promql.Expr) -> None:
        if isinstance(part, promql.VectorSelector):
            matchers: list[Any] = part.matchers.matchers
            found.update(value for each in matchers if each.name == label for value in each.value.split("|"))

    promql.walk(promql.parse(expression), pre_visit=look)
    return found
