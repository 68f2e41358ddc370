"""config/grafana/close-gateway.json."""

import json
from collections import Counter
from itertools import combinations, product
from typing import Any

import promql_parser as promql
import pytest

from tests.deployed.expressions import KNOWN, labels_in, metrics_in, mistakes
from tests.deployed.pod import CONFIG, documents

GRAFANA = CONFIG / "grafana"
DASHBOARD = json.loads((GRAFANA / "close-gateway.json").read_text("utf-8"))
PANELS = DASHBOARD["panels"]
ASKING = [panel for panel in PANELS if panel["type"] != "row"]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
"""Columns that a dashboard has."""
NOT_SHOWN = {"up"}
"""Of Prometheus, which the alerts ask for."""


def named(panel: dict[str, Any]) -> str:
    """Name a case of a test."""
    return str(panel["title"])


def asked(panel: dict[str, Any]) -> list[str]:
    """Give the expressions of a panel as Grafana sends them, its variables replaced."""
    return [
        target["expr"].replace("$__rate_interval", "1m").replace("$__range", "6h").replace("$instance", ".*")
        for target in panel["targets"]
    ]


@pytest.mark.parametrize("panel", ASKING, ids=named)
def test_a_panel_asks_for_what_there_is(panel: dict[str, Any]) -> None:
    """Each of its expressions parses, and nothing in it is unknown; what a legend names is a label of it."""
    for expression, target in zip(asked(panel), panel["targets"], strict=True):
        assert "$" not in expression
        assert mistakes(expression) == []
        legend = target["legendFormat"]
        labels = {part.partition("}}")[0] for part in legend.split("{{")[1:]}
        assert labels <= labels_in(promql.parse(expression))


@pytest.mark.parametrize("panel", ASKING, ids=named)
def test_a_panel_goes_by_what_is_chosen_above(panel: dict[str, Any]) -> None:
    """The data source and the gateways; and it says in a sentence what it shows."""
    assert panel["datasource"] == SOURCE
    assert {json.dumps(target["datasource"]) for target in panel["targets"]} == {json.dumps(SOURCE)}
    assert all('instance=~"$instance"' in target["expr"] for target in panel["targets"])
    assert panel["description"].endswith(".")


def test_each_metric_is_on_it() -> None:
    """What is counted and shown nowhere is found by nobody; of a histogram one part is enough."""
    shown = {name for panel in ASKING for expression in asked(panel) for name in metrics_in(promql.parse(expression))}
    ends = ("_sum", "_count")
    assert {name for name in KNOWN if not name.endswith(ends)} - shown == NOT_SHOWN


def test_panels_are_told_apart_and_lie_side_by_side() -> None:
    """No two have one id or one place, and none is wider than the page."""
    assert max(Counter(panel["id"] for panel in PANELS).values()) == 1
    cells = [
        {*product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))}
        for at in (panel["gridPos"] for panel in PANELS)
    ]
    assert not any(one & other for one, other in combinations(cells, 2))
    assert max(x for cell in cells for x, _ in cell) < WIDTH


def test_its_variables_are_a_data_source_and_the_gateways() -> None:
    """It can be brought into any Grafana, whatever its Prometheus is called there."""
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert {name: variable["type"] for name, variable in variables.items()} == {
        "datasource": "datasource",
        "instance": "query",
    }
    assert variables["datasource"]["query"] == "prometheus"
    assert variables["instance"]["datasource"] == SOURCE
    assert DASHBOARD["uid"] == "close-gateway"


def test_what_is_provided_leads_to_it() -> None:
    """Grafana is given a Prometheus of the right kind, and the folder that the dashboard is mounted into."""
    (sources,) = documents(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")
    (providers,) = documents(GRAFANA / "provisioning" / "dashboards" / "close-gateway.yml")
    (compose,) = documents(CONFIG / "compose.yaml")
    (source,), (provider,) = sources["datasources"], providers["providers"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    mounts = [mount.split(":")[:2] for mount in compose["services"]["grafana"]["volumes"]]
    assert ["./grafana/close-gateway.json", f"{provider['options']['path']}/close-gateway.json"] in mounts
    (scraped,) = documents(CONFIG / "prometheus" / "prometheus.yml")
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]
