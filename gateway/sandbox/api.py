"""Which endpoint is asked for what?

Rule    First who asks, then what: 401 before 404 before 405. Paths end in a slash; without it there is nothing there.
        PATCH does what PUT does.
Source  The published API description; developer.close.com: HTTP response codes, Specifying fields ("every PUT request
        behaves as a PATCH").
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from gateway.sandbox.call import Call, as_meant
from gateway.sandbox.paging import listed, page_of, wanted_of
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import refused
from gateway.sandbox.users import User, own_profile, profile
from gateway.sandbox.world import World

Endpoint: TypeAlias = Callable[[World, User, Call, str], Record]
"""Answers a call; the last argument is the id in the path, if it has one. A no is raised as a `Refusal`."""

ID: Final = "(?P<id>[^/]+)"


def answer(world: World, user: User, call: Call) -> Record:
    """Answer a call of a user, or raise a `Refusal`."""
    call = as_meant(call)
    for path, methods in ENDPOINTS:
        if found := path.fullmatch(call.path):
            if call.method not in methods:
                raise refused(405, "Method Not Allowed", {"Allow": ", ".join(methods)})
            return methods[call.method](world, user, call, found.groupdict().get("id", ""))
    raise refused(404, "Not Found")


def group_of(method: str, path: str) -> str:
    """The endpoint group of a request, by which Close limits: what is asked for, whatever the id, and how."""
    known = next((endpoint.pattern for endpoint, _ in ENDPOINTS if endpoint.fullmatch(path)), "elsewhere")
    return f"{method} {known.replace(ID, 'ID')}"


def _read_me(_world: World, user: User, call: Call, _id: str) -> Record:
    return wanted_of(own_profile(user), call.query)


def _list_users(world: World, user: User, call: Call, _id: str) -> Record:
    return page_of([profile(other) for other in world.users_beside(user)], call.query)


def _read_user(world: World, user: User, call: Call, user_id: str) -> Record:
    return wanted_of(profile(world.user(user, user_id)), call.query)


def _list_leads(world: World, user: User, call: Call, _id: str) -> Record:
    return page_of(world.leads_of(user), call.query)


def _create_lead(world: World, user: User, call: Call, _id: str) -> Record:
    return world.create_lead(user, call.json())


def _read_lead(world: World, user: User, call: Call, lead_id: str) -> Record:
    return wanted_of(world.lead(user, lead_id), call.query)


def _list_emails(world: World, user: User, call: Call, _id: str) -> Record:
    return page_of(world.emails_of(user, listed(call.query, "lead_id")), call.query)


def _create_email(world: World, user: User, call: Call, _id: str) -> Record:
    return world.create_email(user, call.json())


def _read_email(world: World, user: User, call: Call, email_id: str) -> Record:
    return wanted_of(world.email(user, email_id), call.query)


def _update_email(world: World, user: User, call: Call, email_id: str) -> Record:
    return world.update_email(user, email_id, call.json())


def _delete_email(world: World, user: User, _call: Call, email_id: str) -> Record:
    world.delete_email(user, email_id)
    return {}


def _at(path: str, **methods: Endpoint) -> tuple[re.Pattern[str], dict[str, Endpoint]]:
    return re.compile("/api/v1" + path.replace("ID", ID)), methods


ENDPOINTS: Final = (
    _at("/me/", GET=_read_me),
    _at("/user/", GET=_list_users),
    _at("/user/ID/", GET=_read_user),
    _at("/lead/", GET=_list_leads, POST=_create_lead),
    _at("/lead/ID/", GET=_read_lead),
    _at("/activity/email/", GET=_list_emails, POST=_create_email),
    _at("/activity/email/ID/", GET=_read_email, PUT=_update_email, PATCH=_update_email, DELETE=_delete_email),
)
