from pathlib import Path

import gateway.sandbox
from gateway.sandbox import seed


def test_the_readme_tells_what_is_seeded() -> None:
    """A demo is copied from the README, so every user, key, token and id stands in it."""
    readme = (Path(gateway.sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")
    world = seed.seeded_world()
    for user in world.users:
        row = f"| {user.name}, {user.email} | `{user.id}` | `{user.api_key}` | `{user.access_token}` |"
        assert f"{row} `{user.organization_id}` |" in readme
    assert [record for record in (*world.leads, *world.emails) if f"`{record}`" not in readme] == []


def test_the_drafts_are_what_they_are_called() -> None:
    """One of Jane's drafts has a sender, the other has none."""
    emails = seed.seeded_world().emails
    assert [emails[key]["status"] for key in (seed.DRAFT_ID, seed.SIGNED_DRAFT_ID)] == ["draft", "draft"]
    assert emails[seed.DRAFT_ID]["user_id"] == seed.JANE.id
    assert emails[seed.DRAFT_ID]["sender"] is None
    assert emails[seed.SIGNED_DRAFT_ID]["sender"] == '"Jane Roe" <jane@example.com>'


def test_every_world_is_a_new_one() -> None:
    """What one sandbox does to its world, no other sees."""
    one, other = seed.seeded_world(), seed.seeded_world()
    one.delete_email(seed.JANE, seed.DRAFT_ID)
    assert seed.DRAFT_ID in other.emails
