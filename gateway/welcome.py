"""What is printed when a gateway starts for a developer: where it listens, whose keys work, and what to try."""

import json
from shlex import quote
from typing import TYPE_CHECKING, Final

from gateway.config.reach import Reach
from gateway.config.settings import Address, UpstreamSettings
from gateway.local_api import NAME, PORT, LocalApi
from gateway.local_api.name import leads_here

if TYPE_CHECKING:
    from gateway.sandbox import Sandbox, World

CLOSE: Final = UpstreamSettings().url
REAL: Final = ", where emails are real"


def welcome(
    reach: Reach,
    admin: Address | None,
    upstream: str,
    sandbox: "Sandbox | None",
    local: LocalApi | None = None,
    records: str | None = None,
) -> str:
    """Say where the gateway listens, what it stands in front of, and how to try it: in the sandbox, or without harm.

    `records`: where to.
    """
    lines = [
        f"Close Gateway listens on {_where(reach)}",
        *(_sandboxed(upstream) if sandbox else [f"  in front of {upstream}{REAL if upstream == CLOSE else ''}"]),
        *(_panel(admin) if admin else ["  console and health: off"]),
        *([f"  recording: {records}"] if records else []),
        "",
        *(_local(local) if local else []),
    ]
    if sandbox:
        lines += [*_keys(sandbox), ""]
    examples = _examples(reach, sandbox.world) if sandbox else _harmless(reach)
    if examples:
        lines += ["Try it in another terminal:", "", *examples]
    return "\n".join([*lines, "Ctrl-C stops it.", ""])


def welcome_to_sandbox(sandbox: "Sandbox") -> str:
    """Say where the sandbox listens and whose keys work."""
    lines = [
        f"A sandbox of Close listens on {sandbox.url}/api/v1/",
        f"  what it holds: {sandbox.url}/",
        "",
        *_keys(sandbox),
        "",
        *(f"Try it: curl -u {user.api_key}: {sandbox.url}/api/v1/me/\n" for user in sandbox.world.users[:1]),
        "Ctrl-C stops it.",
        "",
    ]
    return "\n".join(lines)


def _sandboxed(url: str) -> list[str]:
    return ["  in front of a sandbox of Close, all in memory;", f"  a page shows what it holds: {url}/"]


def _panel(admin: Address) -> list[str]:
    url = f"http://{admin}"
    return [
        f"  console: {url}/",
        f"  health: {url}/healthz",
        f"  commands: close-gateway rejections list --admin {url}",
    ]


def _local(local: LocalApi) -> list[str]:
    """Say how Close's own client gets here, and what keeps it from it."""
    listen = local.listen[0]
    lines = [
        "For Close's own client, Client(api_key, development=True):",
        f"  https://{NAME}:{listen.port}/api/v1/",
        f"  certificate: {local.certificate}",
    ]
    if listen.port != PORT:
        lines.append(f"  It goes to port {PORT} whatever happens; here it is another.")
    if not leads_here(local.found):
        now = f"leads to {', '.join(local.found)}" if local.found else "leads nowhere"
        lines += [f"  {NAME} {now} on this machine.", "  Add this line to /etc/hosts:"]
        lines += ["", f"    127.0.0.1 {NAME}"]
    return [*lines, ""]


def _harmless(reach: Reach) -> list[str]:
    """Give a request to paste that changes nothing, wherever it goes."""
    return [
        "  # Whose key is it?",
        f'  {reach.curl} -i -u "$CLOSE_API_KEY:" {reach.url}/api/v1/me/',
        "",
    ]


def _keys(sandbox: "Sandbox") -> list[str]:
    wide = max((len(user.api_key) for user in sandbox.world.users), default=0)
    return ["API keys:", *(f"  {user.api_key:{wide}}  {user.name} <{user.email}>" for user in sandbox.world.users)]


def _where(reach: Reach) -> str:
    return f"{reach.listening}/api/v1/" if isinstance(reach.listen, Address) else str(reach.listen)


def _examples(reach: Reach, world: "World") -> list[str]:
    """Give requests to paste, one for each thing that can happen to an email. None where there is no lead."""
    lead = next(iter(world.leads.values()), None)
    if lead is None:
        return []
    user = next(user for user in world.users if user.organization_id == lead["organization_id"])
    url = f"{reach.listening}/api/v1/activity/email/"
    new = {"lead_id": lead["id"], "to": ["lead@example.net"]}
    sender = f"{user.name} <{user.email}>"
    examples = [
        ("Rejected: an email to send needs a sender.", "POST", url, new | {"status": "outbox"}),
        ("Filled: one that was sent already gets its user's address.", "POST", url, new | {"status": "sent"}),
        ("Forwarded: it has a sender.", "POST", url, new | {"status": "outbox", "sender": sender}),
    ]
    drafts = [email for email in world.emails_of(user) if email["status"] == "draft" and not email["sender"]]
    if drafts:
        draft = f"{url}{drafts[0]['id']}/"
        examples.append(("Rejected: this draft was saved without a sender.", "PUT", draft, {"status": "outbox"}))
    lines: list[str] = []
    for comment, method, target, email in examples:
        lines += [
            f"  # {comment}",
            f"  {reach.curl} -i -u {user.api_key}: -X {method} {target} \\",
            "    -H 'Content-Type: application/json' \\",
            f"    -d {quote(json.dumps(email))}",
            "",
        ]
    return lines
