"""What a small Close remembers, and what it lets whom do with it. No HTTP: a no is raised as a `Refusal`.

Rule    What is in the outbox goes out at once, or after `send_in` seconds; what is scheduled, when its date has come.
        Until then it can be made a draft again. Nothing is sent anywhere: it becomes `sent`.
Source  developer.close.com: Emails, "Create".
Needs   Nobody who waits: whoever asks for the emails has those sent first that are due.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.sandbox import rules
from gateway.sandbox.accounts import NOT_ALLOWED
from gateway.sandbox.clock import Clock, read_time
from gateway.sandbox.directory import Directory
from gateway.sandbox.ids import new_id
from gateway.sandbox.kinds import EMAIL, fitted
from gateway.sandbox.people import MOST_RECORDS, object_of
from gateway.sandbox.records import Record, changed_email, failed_email, new_email, sent_email
from gateway.sandbox.refusal import NO_SUCH_OBJECT, NOT_A_STRING, ONLY_DRAFTS, invalid, refused
from gateway.sandbox.shelf import Kept, Shelf
from gateway.sandbox.threads import threads_of, topic_of
from gateway.sandbox.users import User, seen_whole


class World(Directory):
    """The state of a sandbox. It lives in memory and ends with the process.

    `most` is how many emails, leads and so on are kept.
    """

    def __init__(self, users: Iterable[User] = (), *, most: int = MOST_RECORDS, clock: Clock | None = None) -> None:
        super().__init__(users, most=most, clock=clock)
        self._emails = Shelf(most)
        self._threads = Kept[tuple[str, str] | None, str](most)
        """The thread of what was last written about a topic."""
        self._due = Kept[str, datetime](most)
        """When what waits in the outbox, or is scheduled, goes out."""

    def dump(self) -> Record:
        """All that it holds, in the order it came, for reading: credentials only as a hint."""
        emails = list(self.emails.values())
        return {
            "now": self.now(),
            "users": [seen_whole(user) for user in self.users],
            "leads": list(self.leads.values()),
            "contacts": list(self.contacts.values()),
            "emails": emails,
            "email_threads": [
                {name: value for name, value in thread.items() if name != "emails"}
                for thread in reversed(threads_of(reversed(emails)))
            ],
            "email_templates": list(self.templates.values()),
            "connected_accounts": list(self.accounts.values()),
            "send_as": list(self.send_as.values()),
        }

    # -- emails --

    @property
    def emails(self) -> Shelf:
        """The emails, of which those that are due have been sent."""
        self._send_what_is_due()
        return self._emails

    def emails_of(self, user: User, lead_ids: Collection[str] = ()) -> list[Record]:
        """List the emails, newest first; where leads are named, theirs alone."""
        emails = self.emails.of(user)
        return [email for email in emails if email["lead_id"] in lead_ids] if lead_ids else emails

    def email(self, user: User, email_id: str) -> Record:
        return self.emails.one(user, email_id)

    def create_email(self, user: User, payload: object, *, email_id: str | None = None) -> Record:
        """Create an email. `email_id` gives it an id known beforehand. The answer has it before it is sent."""
        fields = object_of(payload)
        values, errors = fitted(fields, EMAIL)
        errors |= self.lead_errors(user, fields) | rules.errors_in_new(fields) | self._reference_errors(user, fields)
        if errors := self._sending_errors(user, fields, None) | errors:
            raise invalid(fields=errors)
        owner = self.colleague(user, fields.get("user_id")) or user
        template = self.find_template(user, values.get("template_id"))
        if template and values.get("body_text") is None and values.get("body_html") is None:
            values |= self.written_from(template, user, fields, values)
        email = new_email(values, fields, (user, owner), email_id, self.now())
        email["thread_id"] = self._thread_for(email)
        return self._kept(user, email, values)

    def update_email(self, user: User, email_id: str, payload: object) -> Record:
        """Change an email. The record from before is left as it was and replaced."""
        kept = self.email(user, email_id)
        fields = object_of(payload)
        if not rules.may_change(fields, kept):
            raise invalid(ONLY_DRAFTS)
        values, errors = fitted(fields, EMAIL)
        errors |= rules.errors_in_change(fields, kept) | self._reference_errors(user, fields)
        if errors := self._sending_errors(user, fields, kept) | errors:
            raise invalid(fields=errors)
        owner = self.colleague(user, fields.get("user_id")) or self.colleague(user, kept["user_id"]) or user
        email = changed_email(kept, values, fields, (user, owner), self.now())
        if {"subject", "in_reply_to_id"} & values.keys():
            self._leave_topic(kept)
            email["thread_id"] = self._thread_for(email)
        return self._kept(user, email, values)

    def delete_email(self, user: User, email_id: str) -> None:
        email = self.email(user, email_id)
        del self._emails[email_id]
        self._due.pop(email_id, None)
        self._leave_topic(email)

    # -- threads --

    def threads_of(self, user: User) -> list[Record]:
        """List the threads, those with the newest emails first."""
        return threads_of(self.emails_of(user))

    def thread(self, user: User, thread_id: str) -> Record:
        if found := threads_of(email for email in self.emails_of(user) if email["thread_id"] == thread_id):
            return found[0]
        raise refused(404, "Not Found")

    def delete_thread(self, user: User, thread_id: str) -> None:
        """Delete a thread, and with it all of its emails."""
        for email in self.thread(user, thread_id)["emails"]:
            self.delete_email(user, email["id"])

    def _thread_for(self, email: Record) -> str:
        """The thread that an email belongs to: one that is there, its own, or a new one."""
        answered = self._emails.get(email["in_reply_to_id"] or "")
        if answered and answered["organization_id"] == email["organization_id"]:
            return str(answered["thread_id"])
        topic = topic_of(email)
        thread_id = self._threads.get(topic) if topic else None
        if thread_id is None:
            is_alone = bool(email["thread_id"]) and not self._others_in_thread(email)
            thread_id = str(email["thread_id"]) if is_alone else new_id("acti")
        if topic:
            self._threads.keep(topic, thread_id)
        return thread_id

    def _leave_topic(self, email: Record) -> None:
        """What is written about its subject from now on is no part of its thread, if nobody else is in there."""
        topic = topic_of(email)
        if self._threads.get(topic) == email["thread_id"] and not self._others_in_thread(email):
            del self._threads[topic]

    def _others_in_thread(self, email: Record) -> bool:
        here = (other for other in self._emails.values() if other["thread_id"] == email["thread_id"])
        return any(other["id"] != email["id"] for other in here)

    # -- sending --

    def _kept(self, user: User, email: Record, values: Mapping[str, Any]) -> Record:
        """Keep an email, on its way out if its status says so."""
        self._due.pop(email["id"], None)
        template = self.templates.get(email["template_id"] or "")
        email |= {"email_account_id": None, "send_as_id": None, "template_name": template and template["name"]}
        if email["status"] in rules.UNSENT:
            road = self.road(user, email["sender"])
            account = self.find_account(user, values.get("account_id")) or road.account
            email["email_account_id"] = account and account["id"]
            email["send_as_id"] = road.send_as and road.send_as["id"]
            self._due.keep(email["id"], self._due_time(email, values))
        return self._emails.add(email)

    def _due_time(self, email: Record, values: Mapping[str, Any]) -> datetime:
        now = self.clock.now()
        if email["status"] == "outbox":
            return now + timedelta(seconds=max(0, values.get("send_in") or 0))
        return max(now, read_time(email["date_scheduled"] or "") or now)

    def _send_what_is_due(self) -> None:
        now = self.clock.now()
        for due, email_id in sorted((due, email_id) for email_id, due in self._due.items() if due <= now):
            del self._due[email_id]
            if email := self._emails.get(email_id):  # it may have been forgotten
                self._emails[email_id] = self._sent(email, due.isoformat())

    def _sent(self, email: Record, when: str) -> Record:
        """The email after it went out, or failed to: what allowed it may be gone, and its account broken."""
        sender = next((user for user in self.users if user.id == email["updated_by"]), None)
        if sender and not self.road(sender, email["sender"]).is_allowed:
            return failed_email(email, NOT_ALLOWED, when, needs_credentials=False)
        account = self.accounts.get(email["email_account_id"] or "")
        if account and account["send_status"] != "ok":
            return failed_email(email, "The account failed to send.", when, needs_credentials=True)
        return sent_email(email, when)

    # -- what a request refers to --

    def _reference_errors(self, user: User, fields: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, Callable[[User, object], object]] = {
            "user_id": self.colleague,
            "contact_id": self.contacts.find,
            "template_id": self.find_template,
            "account_id": self.find_account,
        }
        return {
            name: NO_SUCH_OBJECT if isinstance(fields[name], str) else NOT_A_STRING
            for name, find in found.items()
            if not rules.is_missing(fields.get(name)) and find(user, fields[name]) is None
        }

    def _sending_errors(self, user: User, fields: Mapping[str, Any], kept: Record | None) -> dict[str, str]:
        if fields.get("status") not in rules.UNSENT:
            return {}
        sender = rules.sender_after_change(fields, kept or {"sender": None}) or ""
        return {} if self.road(user, sender).is_allowed else {"sender": NOT_ALLOWED}
