"""Whom and what the sandbox knows when it starts. The ids stay, so that a demo can name them.

Two organizations: Jane and John share one, Mary has the other. None of the keys is good anywhere else.
"""

from typing import Final

from gateway.sandbox.clock import Clock
from gateway.sandbox.users import User
from gateway.sandbox.world import World

ORGANIZATION_ID: Final = "orga_SandboxExample"
OTHER_ORGANIZATION_ID: Final = "orga_SandboxElsewhere"
LEAD_ID: Final = "lead_SandboxBluth"
OTHER_LEAD_ID: Final = "lead_SandboxElsewhere"
DRAFT_ID: Final = "acti_SandboxDraft"
"""Jane's draft without a sender."""
SIGNED_DRAFT_ID: Final = "acti_SandboxSignedDraft"
"""Jane's draft with a sender."""
OTHER_DRAFT_ID: Final = "acti_SandboxElsewhere"
"""Mary's draft, which does not exist for Jane and John."""
CONTACT_ID: Final = "cont_SandboxLucille"
"""Whom the drafts are written to."""
TEMPLATE_ID: Final = "tmpl_SandboxHello"
SEND_AS_ID: Final = "sdas_SandboxJohnAsJane"
"""John may send as Jane. Jane may not send as John."""


def _user(first_name: str, last_name: str, email: str, organization: tuple[str, str]) -> User:
    name = first_name.lower()
    return User(
        id=f"user_Sandbox{first_name}",
        email=email,
        first_name=first_name,
        last_name=last_name,
        organization_id=organization[0],
        organization_name=organization[1],
        api_key=f"api_{name}_sandbox_key",
        access_token=f"oauth_{name}_sandbox_token",
    )


JANE: Final = _user("Jane", "Roe", "jane@example.com", (ORGANIZATION_ID, "Example Inc."))
JOHN: Final = _user("John", "Doe", "john@example.com", (ORGANIZATION_ID, "Example Inc."))
MARY: Final = _user("Mary", "Major", "mary@example.org", (OTHER_ORGANIZATION_ID, "Elsewhere Ltd."))


HELLO: Final = {
    "name": "Hello",
    "subject": "Hello {{ contact.first_name }}",
    "body": "<p>How are things at {{ lead.display_name }}?</p><p>{{ user.first_name }}</p>",
    "is_shared": True,
}


def seeded_world(clock: Clock | None = None) -> World:
    """A new world with the seeded users, and what is theirs, all made at the time that the clock tells."""
    world = World([JANE, JOHN, MARY], clock=clock)
    world.create_lead(JANE, {"name": "Bluth Company", "url": "https://example.com"}, lead_id=LEAD_ID)
    world.create_lead(MARY, {"name": "A lead elsewhere"}, lead_id=OTHER_LEAD_ID)
    lucille = {"name": "Lucille Bluth", "title": "CEO", "emails": [{"email": "lead@example.net", "type": "office"}]}
    world.create_contact(JANE, {"lead_id": LEAD_ID, **lucille}, contact_id=CONTACT_ID)
    world.create_template(JANE, HELLO, template_id=TEMPLATE_ID)
    for user in world.users:
        world.connect_account(user, {}, account_id=f"emailacct_Sandbox{user.first_name}")
    world.allow(JANE, {"allowing_user_id": JANE.id, "allowed_user_id": JOHN.id}, send_as_id=SEND_AS_ID)
    draft = {"lead_id": LEAD_ID, "status": "draft", "to": ["lead@example.net"], "body_text": "Hello!"}
    world.create_email(JANE, draft | {"subject": "A draft without a sender"}, email_id=DRAFT_ID)
    signed = draft | {"subject": "A draft with a sender", "sender": '"Jane Roe" <jane@example.com>'}
    world.create_email(JANE, signed, email_id=SIGNED_DRAFT_ID)
    other = draft | {"subject": "A draft elsewhere", "lead_id": OTHER_LEAD_ID}
    world.create_email(MARY, other, email_id=OTHER_DRAFT_ID)
    return world
