"""Is each value of the kind that Close describes, and how is it kept?

Rule    Every field that may be written is of one kind; null empties it. What is of another kind is refused, so that
        what is kept can always be answered as the description has it.
Source  The published API description, for the kinds; the public validation library (cleancat) for the words. How Close
        names the items of a list that are wrong is not known: the list has one message here.
Needs   The values alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway.sandbox.clock import read_time
from gateway.sandbox.refusal import NOT_A_STRING

FILES: Final = "https://app.close.com/go/file/"
LONGEST_DELAY: Final = 59
"""Seconds of `send_in`."""
MOST_CONTACTS: Final = 1_000
"""Of one lead, that come with it. A request may be so large that making a record of each would hold up all others."""

Kind: TypeAlias = Callable[[Any], Any]
"""Gives a value as it is kept, or raises `Unfit`."""


class Unfit(Exception):
    """A value is not of its kind. The text is what the answer says."""


def fitted(fields: Mapping[str, Any], kinds: Mapping[str, Kind]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of these fields, as they are kept, and what is wrong with the others. All else is left out."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in (name for name in kinds if name in fields):
        try:
            values[name] = kinds[name](fields[name])
        except Unfit as unfit:
            errors[name] = str(unfit)
    return values, errors


def text(value: Any) -> str | None:
    """Any text."""
    return None if value is None else _of_type(value, str)


def reference(value: Any) -> str | None:
    """An id. Blank is none."""
    return (text(value) or "").strip() or None


def flag(value: Any) -> bool:
    """Yes or no. None given is no."""
    return False if value is None else _of_type(value, bool)


def number(value: Any) -> int | None:
    """A whole number."""
    return None if value is None else _of_type(value, int)


def moment(value: Any) -> str | None:
    """A point in time. Blank is none."""
    given = reference(value)
    if given is None:
        return None
    time = read_time(given)
    if time is None:
        raise Unfit("Invalid ISO 8601 datetime.")
    return time.isoformat()


def delay(value: Any) -> int | None:
    """The seconds of `send_in`, which are fewer than 60."""
    seconds = number(value)
    if seconds is not None and seconds > LONGEST_DELAY:
        raise Unfit(f"The value must not be larger than {LONGEST_DELAY}.")
    return seconds


def texts(value: Any) -> list[str]:
    """A list of texts."""
    return [_of_type(item, str) for item in _items(value)]


def attachments(value: Any) -> list[dict[str, Any]]:
    """Files that were uploaded to Close before."""
    items = _items(value)
    # Where files lie is looked at first, in all of them: that rule is documented in words, the rest by their kinds.
    for item in items:
        url = item.get("url") if isinstance(item, dict) else FILES
        if not (isinstance(url, str) and url.startswith(FILES)):
            raise Unfit("Invalid URL.")
    return [_object_of(item, ATTACHMENT) for item in items]


def opens(value: Any) -> list[dict[str, Any]]:
    """When a recipient opened the email."""
    return [_object_of(item, {"opened_at": lambda given: moment(_text(given))}) for item in _items(value)]


def addresses(value: Any) -> list[dict[str, Any]]:
    """The email addresses of a contact."""
    return [_object_of(item, {"email": _text, "type": _type}) | {"is_unsubscribed": False} for item in _items(value)]


def phones(value: Any) -> list[dict[str, Any]]:
    """The phone numbers of a contact."""
    return [_object_of(item, {"phone": _text, "type": _type}) for item in _items(value)]


def contacts(value: Any) -> list[dict[str, Any]]:
    """The people of a lead, as they may come with it."""
    items = _items(value)
    if len(items) > MOST_CONTACTS:
        raise Unfit(f"No more than {MOST_CONTACTS:,} contacts can come with a lead.")
    return [_object_of(item, CONTACT) for item in items]


def _type(value: Any) -> str:
    return "office" if value is None else _text(value)


def _text(value: Any) -> str:
    return str(_of_type(value, str))


def _number(value: Any) -> int:
    return int(_of_type(value, int))


def _items(value: Any) -> list[Any]:
    return [] if value is None else _of_type(value, list)


def _object_of(value: Any, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    members = _of_type(value, dict)
    return {name: kind(members.get(name)) for name, kind in kinds.items()}


def _of_type(value: Any, wanted: type) -> Any:
    # True is an int to Python, and a number to nobody else.
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise Unfit(NOT_A_STRING if wanted is str else f"Value must be of {wanted.__name__} type.")
    return value


ATTACHMENT: Final[Mapping[str, Kind]] = {"url": _text, "filename": _text, "size": _number, "content_type": text}
EMAIL: Final[Mapping[str, Kind]] = {
    "account_id": reference,
    "activity_at": moment,
    "attachments": attachments,
    "bcc": texts,
    "body_html": text,
    "body_text": text,
    "cc": texts,
    "contact_id": reference,
    "date_created": moment,
    "date_scheduled": moment,
    "followup_date": moment,
    "followup_sequence_add_cc_bcc": flag,
    "followup_sequence_delay": number,
    "followup_sequence_id": reference,
    "in_reply_to_id": reference,
    "opens": opens,
    "send_in": delay,
    "subject": text,
    "template_id": reference,
    "to": texts,
}
"""Beside status, sender, lead_id and user_id, which have rules of their own."""
CONTACT: Final[Mapping[str, Kind]] = {"name": text, "title": text, "emails": addresses, "phones": phones}
LEAD: Final[Mapping[str, Kind]] = {"name": text, "description": text, "url": text, "contacts": contacts}
TEMPLATE: Final[Mapping[str, Kind]] = {
    "name": text,
    "subject": text,
    "body": text,
    "is_shared": flag,
    "is_archived": flag,
    "attachments": attachments,
    "bcc": texts,
    "cc": texts,
}
