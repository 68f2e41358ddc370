"""config/prometheus/alerts.yml."""

import re
from typing import Any

import promql_parser as promql
import pytest

from gateway.config.settings import Settings
from gateway.upstream.errors import UpstreamError
from tests.deployed.expressions import labels_in, mistakes, values_of
from tests.deployed.pod import CONFIG, ROOT, documents

GROUPS = documents(CONFIG / "prometheus" / "alerts.yml")[0]["groups"]
ALERTS = [alert for group in GROUPS for alert in group["rules"]]
USED = re.compile(r"\$labels\.(\w+)")


def named(alert: dict[str, Any]) -> str:
    """Name a case of a test."""
    return str(alert["alert"])


def the(name: str) -> str:
    """Give the expression of an alert."""
    (alert,) = (alert for alert in ALERTS if alert["alert"] == name)
    return str(alert["expr"])


@pytest.mark.parametrize("alert", ALERTS, ids=named)
def test_an_alert_asks_for_what_there_is(alert: dict[str, Any]) -> None:
    """A metric or a label that no gateway has would keep it silent for ever."""
    assert mistakes(alert["expr"]) == []


@pytest.mark.parametrize("alert", ALERTS, ids=named)
def test_an_alert_says_what_is_wrong_and_what_to_do(alert: dict[str, Any]) -> None:
    """How urgent it is, a line that says what, and more than a line that says what now."""
    assert alert.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"].keys() == {"summary", "description"}
    assert len(alert["annotations"]["description"]) > len(alert["annotations"]["summary"])
    assert promql.parse_duration(alert.get("for", "1m")).total_seconds() >= 60


@pytest.mark.parametrize("alert", ALERTS, ids=named)
def test_an_alert_names_labels_that_are_left(alert: dict[str, Any]) -> None:
    """What an expression has summed away would be an empty place in the text."""
    expression = promql.parse(alert["expr"])
    left = labels_in(expression)
    if isinstance(expression, promql.BinaryExpr) and isinstance(expression.lhs, promql.AggregateExpr):
        modifier = expression.lhs.modifier
        left = frozenset() if modifier is None else frozenset(modifier.labels)
    assert set(USED.findall("".join(alert["annotations"].values()))) <= left


def test_no_two_alerts_have_one_name() -> None:
    """Or who reads one looks up what the other says."""
    assert len({named(alert) for alert in ALERTS}) == len(ALERTS)


def test_what_is_watched_of_close_is_what_there_is() -> None:
    """The codes that the gateway fails by: one renamed would be watched no more."""
    watched = ("CloseGatewayCloseUnreachable", "CloseGatewayUpstreamConnectionsExhausted")
    codes = [error.code for error in UpstreamError.__subclasses__()]
    assert sorted(code for name in watched for code in values_of(the(name), "code")) == sorted(codes)


def test_thresholds_go_with_the_defaults() -> None:
    """Four fifths of the connections that clients may have, half of the backlog in memory."""
    settings = Settings()
    assert the("CloseGatewayConnectionsNearLimit").endswith(f"> {settings.listener.max_connections * 4 // 5}")
    assert the("CloseGatewayStoreBehind").endswith(f"> {settings.rejections.backlog // 2}")


def test_what_prometheus_reads_is_what_is_mounted() -> None:
    """The rules are named in the file beside them, and their settings exist where texts name some."""
    (prometheus,) = documents(CONFIG / "prometheus" / "prometheus.yml")
    assert prometheus["rule_files"] == ["alerts.yml"]
    told = " ".join(text for alert in ALERTS for text in alert["annotations"].values())
    sections = {"listener", "upstream", "inspect", "identity", "lookups", "admin", "rejections", "log", "shutdown"}
    written = (ROOT / "config" / "gateway.toml").read_text("utf-8")
    for section, key in re.findall(r"\b([a-z]+)\.([a-z_]+)\b", told):
        assert section not in sections or re.search(rf"^(?:# )?{key} = ", written, re.MULTILINE), f"{section}.{key}"
