"""What comes in and goes out over HTTP."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import fields, post_load

from infra.problems import Text
from infra.storage.aggregates import Stored
from infra.web.fields import Body, Free, Instant, Integer, OneOf, QueryBoolean, String, UuidStr, opt, wrong
from infra.web.paging import PageArgs
from services.notifications.domain import KINDS, Delivery, Entry, Preferences, Quiet
from services.notifications.store import notes
from services.notifications.wording import Message

NO_HOUR = Text("Harus jam HH:MM, 00:00 sampai 23:59.", "Must be a time HH:MM, 00:00 to 23:59.")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class Hour(fields.String):
    """A time of day in Asia/Jakarta, `HH:MM`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _HOUR.fullmatch(value):
            raise wrong(NO_HOUR)
        return value


class AboutOut(Body):
    """What an entry is about."""

    type = String(required=True)
    id = UuidStr(required=True)


class EntryOut(Body):
    """One entry of an inbox, in its owner's language."""

    id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    title = String(required=True)
    text = Free(required=True)
    about = fields.Nested(AboutOut(), required=True)
    at = Instant(required=True)
    read = fields.Boolean(required=True)
    version = Integer(required=True)
    effective_at = Instant(required=True)
    updated_at = Instant(required=True)


class InboxQuery(PageArgs):
    """Which entries."""

    unread = opt(QueryBoolean())


class QuietBody(Body):
    """Hours without mail; equal ends mean none."""

    start = Hour(required=True, data_key="from")
    end = Hour(required=True, data_key="to")


Channels = Body.from_dict({kind: fields.List(OneOf("mail")) for kind in KINDS}, name="Channels")
"""Where each kind goes besides the inbox."""


class PreferencesIn(Body):
    """How one wants to be told. A kind that `channels` doesn't name comes by mail; `[]` keeps it in the inbox."""

    language = OneOf("id", "en", required=True)
    channels = fields.Nested(Channels(), required=True)
    quiet = fields.Nested(QuietBody(), required=True)

    @post_load
    def _whole(self, body: dict[str, Any], **_: Any) -> dict[str, Any]:
        given = body["channels"]
        body["channels"] = {kind: tuple(dict.fromkeys(given.get(kind, ["mail"]))) for kind in KINDS}
        body["quiet"] = Quiet(**body["quiet"])
        return body


class PreferencesOut(Body):
    """One's preferences. Version 0: never set, these are the usual ones."""

    language = OneOf("id", "en", required=True)
    channels = fields.Nested(Channels(), required=True)
    quiet = fields.Nested(QuietBody(), required=True)
    version = Integer(required=True)
    effective_at = opt(Instant())
    updated_at = opt(Instant())


class DeliveryQuery(PageArgs):
    """Which deliveries."""

    state = opt(OneOf("waiting", "sent", "failed", "withdrawn"))


class DeliveryOut(Body):
    """One mail: ids and codes only, neither address nor text."""

    id = UuidStr(required=True)
    employee_id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    channel = OneOf("mail", required=True)
    state = OneOf("waiting", "sent", "failed", "withdrawn", required=True)
    attempts = Integer(required=True)
    rule = String(required=True)
    event_id = UuidStr(required=True)
    sent_at = opt(Instant())
    problem = opt(String())
    version = Integer(required=True)
    effective_at = Instant(required=True)
    updated_at = Instant(required=True)


class StepOut(Body):
    """Who did what, and when it was recorded and took effect."""

    who = String(required=True)
    what = String(required=True)
    when = Instant(required=True)
    effective_at = Instant(required=True)
    version = Integer(required=True)


def entry_shown(entry: Entry, document: Mapping[str, Any], told: Message) -> dict[str, Any]:
    """The entry as its owner sees it; `document` tells its version."""
    return {
        "id": entry.id,
        "kind": entry.kind,
        "title": told.title,
        "text": told.text,
        "about": {"type": entry.about_type, "id": entry.about_id},
        "at": entry.at,
        "read": entry.read,
        "version": document["version"],
        "effective_at": entry.at,
        "updated_at": document["updated_at"],
    }


_PREFERENCES = PreferencesOut()


def preferences_shown(stored: Stored[Preferences]) -> dict[str, Any]:
    """Preferences that were set."""
    times = {"effective_at": stored.effective_at, "updated_at": stored.updated_at}
    return {**_wishes(stored.state), "version": stored.version, **times}


def preferences_as_sent(stored: Stored[Preferences]) -> dict[str, Any]:
    """The same as it goes out, for a problem's `current`."""
    dumped: dict[str, Any] = _PREFERENCES.dump(preferences_shown(stored))
    return dumped


def usual_preferences(employee_id: str) -> dict[str, Any]:
    """What holds for somebody who never set any."""
    return {**_wishes(Preferences(id=employee_id)), "version": 0}


def _wishes(preferences: Preferences) -> dict[str, Any]:
    return {
        "language": preferences.language,
        "channels": {kind: ["mail"] if preferences.by_mail(kind) else [] for kind in KINDS},
        "quiet": preferences.quiet,
    }


def delivery_shown(stored: Stored[Delivery]) -> dict[str, Any]:
    """The delivery, with how often it was tried."""
    delivery = stored.state
    own = {name: getattr(delivery, name) for name in delivery.__struct_fields__}
    return {
        **own,
        "attempts": notes(stored).attempts,
        "version": stored.version,
        "effective_at": stored.effective_at,
        "updated_at": stored.updated_at,
    }
