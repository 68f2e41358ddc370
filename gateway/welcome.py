"""What is printed when a gateway starts for a developer: where it listens, whose keys work, and what to try."""

import json
from shlex import quote
from typing import TYPE_CHECKING

from gateway.config.reach import Reach
from gateway.config.settings import Address

if TYPE_CHECKING:
    from gateway.sandbox import Sandbox, World


def welcome(reach: Reach, admin: Address | None, upstream: str, sandbox: "Sandbox | None") -> str:
    """Say where the gateway listens and what it stands in front of; with a sandbox, how to try it."""
    behind = f"a sandbox of Close at {upstream}, all in memory" if sandbox else upstream
    lines = [
        f"Close Gateway listens on {_where(reach)}",
        f"  in front of {behind}",
        f"  console: http://{admin}/, health: http://{admin}/healthz" if admin else "  console and health: off",
        *([f"  commands: close-gateway rejections list --admin http://{admin}"] if admin else []),
        "",
    ]
    if sandbox:
        lines += [*_keys(sandbox), *(_examples(reach, sandbox.world) or [""])]
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


def _keys(sandbox: "Sandbox") -> list[str]:
    wide = max((len(user.api_key) for user in sandbox.world.users), default=0)
    return ["API keys:", *(f"  {user.api_key:{wide}}  {user.name} <{user.email}>" for user in sandbox.world.users)]


def _where(reach: Reach) -> str:
    return f"{reach.listening}/api/v1/" if isinstance(reach.listen, Address) else str(reach.listen)


def _examples(reach: Reach, world: "World") -> list[str]:
    """Give requests to paste, one for each thing that can happen to an email."""
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
    lines = ["", "Try it in another terminal:", ""]
    for comment, method, target, email in examples:
        lines += [
            f"  # {comment}",
            f"  {reach.curl} -i -u {user.api_key}: -X {method} {target} \\",
            "    -H 'Content-Type: application/json' \\",
            f"    -d {quote(json.dumps(email))}",
            "",
        ]
    return lines
