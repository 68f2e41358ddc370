"""Payloads for `close-gateway check`, and a way to have them judged."""

from click.testing import CliRunner, Result

from gateway.cli import main

FINE = '{"lead_id": "lead_1", "status": "draft"}'
REFUSED = '{"lead_id": "lead_1", "status": "outbox", "subject": "canary"}'
REPORTED = '{"status": "outbox", "sender": "jane@example.com", "send_in": 90}'
BROKEN = '{"lead_id": '


def checked(*arguments: str, given: str | bytes = "", columns: int = 80, **environment: str) -> Result:
    """Run `close-gateway check` in this process."""
    env = {"COLUMNS": str(columns), "CLOSE_GATEWAY_CONFIG": "", **environment}
    return CliRunner().invoke(main, ["check", *arguments], input=given, env=env)
