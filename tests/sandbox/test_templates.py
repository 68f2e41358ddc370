from typing import Any

import pytest

from gateway.sandbox import Refusal, World, seeded_world
from gateway.sandbox.refusal import NO_SUCH_OBJECT, REQUIRED
from gateway.sandbox.seed import CONTACT_ID, JANE, JOHN, LEAD_ID, MARY, TEMPLATE_ID
from gateway.sandbox.templates import LONGEST

EMAIL = {"lead_id": LEAD_ID, "status": "draft"}
WRITTEN = "<p>How are things at Bluth Company?</p><p>Jane</p>"


@pytest.fixture
def world() -> World:
    """A seeded world of the test's own."""
    return seeded_world()


def template(world: World, subject: str, body: str = "-", **fields: Any) -> str:
    """The id of a template of Jane's."""
    made = world.create_template(JANE, {"name": "T", "subject": subject, "body": body, **fields})
    return str(made["id"])


def refused_fields(refusal: pytest.ExceptionInfo[Refusal]) -> Any:
    """The fields that a 400 names."""
    return refusal.value.body.get("field-errors")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{ contact.first_name }}!", "Hello Lucille!"),
        ("{{contact.last_name}}, {{  contact.name  }}, {{ contact.title }}", "Bluth, Lucille Bluth, CEO"),
        ("{{ contact.email }} {{ lead.url }}", "lead@example.net https://example.com"),
        ("{{ user.first_name }} {{ user.last_name }} {{ user.email }}", "Jane Roe jane@example.com"),
        ("{{ organization.name }}: {{ lead.display_name }}", "Example Inc.: Bluth Company"),
        ("[{{ contact.unheard_of }}{{ lead.description }}]", "[]"),
        (
            "{% if contact %} {{ contact }} { lead.name } {{ 7 }}",
            "{% if contact %} {{ contact }} { lead.name } {{ 7 }}",
        ),
    ],
)
def test_tags_stand_for_what_they_name(world: World, text: str, expected: str) -> None:
    """What nobody knows stands for nothing; what is no tag stays."""
    rendered = world.render(JANE, template(world, text, text), LEAD_ID, CONTACT_ID)
    assert rendered == {"subject": expected, "body": expected}


def test_a_template_makes_no_endless_email(world: World) -> None:
    """A long name and many tags are each less than a request may have; what they make together is told, not made."""
    lead = world.create_lead(JANE, {"name": "&" * (LONGEST // 100), "contacts": [{"name": "X"}]})
    fits, too_many = (template(world, "-", "{{ lead.name }}" * count) for count in (19, 20))  # "&" is five letters long
    world.render(JANE, fits, lead["id"], lead["contact_ids"][0])
    with pytest.raises(Refusal) as refusal:
        world.render(JANE, too_many, lead["id"], lead["contact_ids"][0])
    assert refused_fields(refusal) == {"template_id": f"It makes more than {LONGEST:,} letters."}
    with pytest.raises(Refusal):
        world.create_email(JANE, {"lead_id": lead["id"], "status": "draft", "template_id": too_many})


def test_a_body_is_html_and_a_subject_is_not(world: World) -> None:
    """What is put into the body cannot become markup, nor a tag of its own."""
    lead = world.create_lead(JANE, {"name": "<b>R&D</b> {{ user.email }}", "contacts": [{"name": "X"}]})
    tag = "{{ lead.name }}"
    assert world.render(JANE, template(world, tag, tag), lead["id"], lead["contact_ids"][0]) == {
        "subject": "<b>R&D</b> {{ user.email }}",
        "body": "&lt;b&gt;R&amp;D&lt;/b&gt; {{ user.email }}",
    }


def test_an_email_is_written_from_its_template(world: World) -> None:
    """By the contact that it names, or the one that it goes to; else by none."""
    wholes = [
        world.create_email(JANE, EMAIL | {"template_id": TEMPLATE_ID, **whom})
        for whom in ({"contact_id": CONTACT_ID}, {"to": ["x@example.net", "L <Lead@Example.NET>"]}, {"to": ["x"]}, {})
    ]
    assert [email["subject"] for email in wholes] == ["Hello Lucille", "Hello Lucille", "Hello ", "Hello "]
    assert [(email["body_html"], email["template_name"]) for email in wholes] == [(WRITTEN, "Hello")] * 4


@pytest.mark.parametrize(
    ("given", "subject", "body"),
    [
        ({"subject": "Mine"}, "Mine", WRITTEN),
        ({"subject": None, "body_html": None, "body_text": None}, "Hello ", WRITTEN),
        ({"body_text": "Mine"}, None, None),
        ({"body_html": "<p>Mine</p>"}, None, "<p>Mine</p>"),
    ],
)
def test_what_the_email_says_itself_stays(world: World, given: dict[str, Any], subject: Any, body: Any) -> None:
    """A body of its own leaves the template out; a subject of its own stands over the template's body."""
    email = world.create_email(JANE, EMAIL | {"template_id": TEMPLATE_ID} | given)
    assert (email["subject"], email["body_html"]) == (subject, body)


def test_a_template_that_is_not_shared_is_its_creators(world: World) -> None:
    """A colleague neither sees nor uses it, and another organization no template at all."""
    mine, ours = template(world, "-"), template(world, "-", is_shared=True)
    assert [[one["id"] for one in world.templates_of(user)] for user in (JANE, JOHN, MARY)] == [
        [ours, mine, TEMPLATE_ID],
        [ours, TEMPLATE_ID],
        [],
    ]
    with pytest.raises(Refusal, match="404"):
        world.template(JOHN, mine)
    with pytest.raises(Refusal) as refusal:
        world.create_email(JOHN, EMAIL | {"template_id": mine})
    assert refused_fields(refusal) == {"template_id": NO_SUCH_OBJECT}


def test_what_a_template_needs(world: World) -> None:
    """A name, a subject and a body; and to be rendered, a lead and a contact that are there."""
    with pytest.raises(Refusal) as refusal:
        world.create_template(JANE, {"subject": " "})
    assert refused_fields(refusal) == dict.fromkeys(("name", "subject", "body"), REQUIRED)
    with pytest.raises(Refusal) as refusal:
        world.render(JANE, TEMPLATE_ID, "lead_none", None)
    assert refused_fields(refusal) == {"lead_id": NO_SUCH_OBJECT, "contact_id": REQUIRED}
