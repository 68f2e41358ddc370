import json
from pathlib import Path

import gateway.sandbox
from gateway.sandbox import seed
from gateway.sandbox.seedfile import world_of
from tests.sandbox.clocks import NOW, standing_clock


def test_the_readme_tells_what_is_seeded() -> None:
    """A demo is copied from the README, so every user, key, token and id stands in it."""
    readme = (Path(gateway.sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")
    world = seed.seeded_world()
    for user in world.users:
        row = f"| {user.name}, {user.email} | `{user.id}` | `{user.api_key}` | `{user.access_token}` |"
        assert f"{row} `{user.organization_id}` |" in readme
    ids = [one["id"] for records in world.dump().values() if isinstance(records, list) for one in records]
    threads = {email["thread_id"] for email in world.emails.values()}
    assert [one for one in ids if one not in threads and f"`{one}`" not in readme] == []


def test_the_readme_shows_a_seed_file_that_works() -> None:
    """Who copies it has a draft to begin with."""
    readme = (Path(gateway.sandbox.__file__).parent / "README.md").read_text(encoding="utf-8")
    world = world_of(json.loads(readme.partition("```json\n")[2].partition("```")[0]))
    assert [email["status"] for email in world.emails.values()] == ["draft"]


def test_the_drafts_are_what_they_are_called() -> None:
    """One of Jane's drafts has a sender, the other has none."""
    emails = seed.seeded_world().emails
    assert [emails[key]["status"] for key in (seed.DRAFT_ID, seed.SIGNED_DRAFT_ID)] == ["draft", "draft"]
    assert emails[seed.DRAFT_ID]["user_id"] == seed.JANE.id
    assert emails[seed.DRAFT_ID]["sender"] is None
    assert emails[seed.SIGNED_DRAFT_ID]["sender"] == '"Jane Roe" <jane@example.com>'


def test_the_records_are_made_when_the_clock_says() -> None:
    """A demo at some time begins then, and has nothing of the future."""
    dump = seed.seeded_world(standing_clock()).dump()
    records = [one for records in dump.values() if isinstance(records, list) for one in records]
    assert {one["date_created"] for one in records if "date_created" in one} == {NOW.isoformat()}


def test_every_world_is_a_new_one() -> None:
    """What one sandbox does to its world, no other sees."""
    one, other = seed.seeded_world(), seed.seeded_world()
    one.delete_email(seed.JANE, seed.DRAFT_ID)
    assert seed.DRAFT_ID in other.emails
