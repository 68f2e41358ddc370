"""Which endpoint is asked for what?

Rule    First who asks, then what: 401 before 404 before 405. Paths end in a slash; without it there is nothing there.
        PATCH does what PUT does.
Source  The published API description; developer.close.com: HTTP response codes, Specifying fields ("every PUT request
        behaves as a PATCH").
"""

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from gateway.sandbox.call import Call, Reply, as_meant
from gateway.sandbox.paging import flagged, matching, page_of, wanted_of
from gateway.sandbox.records import Record
from gateway.sandbox.refusal import refused
from gateway.sandbox.users import User, own_profile, profile
from gateway.sandbox.world import World

Endpoint: TypeAlias = Callable[[World, User, Call, str], Reply]
"""Answers a call; the last argument is the id in the path, if it has one. A no is raised as a `Refusal`."""

ID: Final = "(?P<id>[^/]+)"
ACTIVITY: Final = ("lead_id", "contact_id", "user_id")
"""What lists of activities can be narrowed by, beside `id__in`."""


def answer(world: World, user: User, call: Call) -> Reply:
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


def _listed(records: Callable[[World, User, Call], list[Record]]) -> Endpoint:
    return lambda world, user, call, _id: Reply(page_of(records(world, user, call), call.query))


def _read(record: Callable[[World, User, str], Record]) -> Endpoint:
    return lambda world, user, call, record_id: Reply(wanted_of(record(world, user, record_id), call.query))


def _written(write: Callable[[World, User, Any], Record], status: int = 200) -> Endpoint:
    return lambda world, user, call, _id: Reply(write(world, user, call.json()), status)


def _changed(change: Callable[[World, User, str, Any], Record]) -> Endpoint:
    return lambda world, user, call, record_id: Reply(change(world, user, record_id, call.json()))


def _deleted(delete: Callable[[World, User, str], None], reply: Reply) -> Endpoint:
    def endpoint(world: World, user: User, _call: Call, record_id: str) -> Reply:
        delete(world, user, record_id)
        return reply

    return endpoint


def _me(world: World, user: User, _id: str) -> Record:
    return own_profile(user, [account for account in world.accounts_of(user) if account["user_id"] == user.id])


def _templates(world: World, user: User, call: Call) -> list[Record]:
    return flagged(world.templates_of(user), call.query, ("is_archived", "is_shared"))


def _render(world: World, user: User, call: Call, template_id: str) -> Reply:
    return Reply(world.render(user, template_id, call.query.get("lead_id"), call.query.get("contact_id")))


def _send_as(world: World, user: User, call: Call) -> list[Record]:
    return world.send_as_of(user, call.query.get("allowing_user_id"), call.query.get("allowed_user_id"))


def _disallow(world: World, user: User, call: Call, _id: str) -> Reply:
    world.disallow(user, call.query.get("allowing_user_id"), call.query.get("allowed_user_id"))
    return Reply(None, 204)


def _at(path: str, **methods: Endpoint) -> tuple[re.Pattern[str], dict[str, Endpoint]]:
    return re.compile("/api/v1" + path.replace("ID", ID)), methods


_update_email: Final = _changed(World.update_email)

ENDPOINTS: Final = (
    _at("/me/", GET=_read(_me)),
    _at("/user/", GET=_listed(lambda world, user, _call: [profile(other) for other in world.users_beside(user)])),
    _at("/user/ID/", GET=_read(lambda world, user, user_id: profile(world.user(user, user_id)))),
    _at(
        "/lead/",
        GET=_listed(lambda world, user, _call: world.leads_of(user)),
        POST=_written(World.create_lead),
    ),
    _at("/lead/ID/", GET=_read(World.lead)),
    _at(
        "/contact/", GET=_listed(lambda world, user, call: matching(world.contacts.of(user), call.query, ("lead_id",)))
    ),
    _at("/contact/ID/", GET=_read(lambda world, user, contact_id: world.contacts.one(user, contact_id))),
    _at(
        "/activity/email/",
        GET=_listed(lambda world, user, call: matching(world.emails_of(user), call.query, ACTIVITY)),
        POST=_written(World.create_email),
    ),
    _at(
        "/activity/email/ID/",
        GET=_read(World.email),
        PUT=_update_email,
        PATCH=_update_email,
        DELETE=_deleted(World.delete_email, Reply({})),
    ),
    _at(
        "/activity/emailthread/",
        GET=_listed(lambda world, user, call: matching(world.threads_of(user), call.query, ACTIVITY)),
    ),
    _at("/activity/emailthread/ID/", GET=_read(World.thread), DELETE=_deleted(World.delete_thread, Reply({}))),
    _at("/email_template/", GET=_listed(_templates), POST=_written(World.create_template)),
    _at("/email_template/ID/", GET=_read(World.template)),
    _at("/email_template/ID/render/", GET=_render),
    _at(
        "/connected_account/",
        GET=_listed(lambda world, user, call: matching(world.accounts_of(user), call.query, ("user_id",))),
    ),
    _at("/connected_account/ID/", GET=_read(World.account)),
    _at("/send_as/", GET=_listed(_send_as), POST=_written(World.allow, 201), DELETE=_disallow),
    _at("/send_as/bulk/", POST=_written(lambda world, user, payload: {"data": world.allow_many(user, payload)})),
    _at("/send_as/ID/", GET=_read(World.one_send_as), DELETE=_deleted(World.remove_send_as, Reply(None, 204))),
)
