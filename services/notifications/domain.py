"""What the service keeps, and when a mail may go out. Pure: no I/O, no clock.

Programme rules, Notifications: an entry in a person's inbox and a mail are two things. The entry always comes;
the mail comes only if the person wants it, not in quiet hours, and never about something older than seven days.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec

from infra.clock import JAKARTA
from infra.problems import Language, Refused, Text

Kind = Literal[
    "accepted", "moved_up", "certified", "pairing_active", "please_confirm", "please_endorse", "mastered"
]
KINDS: tuple[Kind, ...] = (
    "accepted",
    "moved_up",
    "certified",
    "pairing_active",
    "please_confirm",
    "please_endorse",
    "mastered",
)
ASKING: frozenset[Kind] = frozenset({"please_confirm", "please_endorse"})
"""Kinds that ask for something: settled as soon as it is done, and many that wait for one person make one mail."""

MAIL_AGE = timedelta(days=7)
"""No mail about something that was recorded longer ago than this."""

BACKOFF_FIRST = timedelta(seconds=5)
BACKOFF_LONGEST = timedelta(minutes=15)

Channel = Literal["mail"]
DeliveryState = Literal["waiting", "sent", "failed", "withdrawn"]


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a text needs besides names: ids, codes and figures only, so that names stay where they can be erased.

    other_id: the other person (guide, learner). at: when the session took place. role: the reader's part in it.
    """

    batch_id: str | None = None
    other_id: str | None = None
    competency: str | None = None
    guidance: str | None = None
    level: int | None = None
    due_on: date | None = None
    at: datetime | None = None
    minutes: int | None = None
    role: Literal["guide", "learner"] | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line in a person's inbox; its text is made from ids each time it is read.

    occasion: which happening of the subject it is about (a session can be held, disputed and held again).
    at: when the happening was recorded. event_id: the event that led to it. Never deleted: its own tombstone.
    """

    id: str
    employee_id: str
    kind: Kind
    rule: str
    about_type: str
    about_id: str
    occasion: str
    at: datetime
    event_id: str
    details: Details
    read: bool = False


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to one person about one inbox entry, or the reason why there is none.

    problem: a code, never a server's words. at: as in the entry. How often the mail server was tried, when it is
    tried next and which other deliveries the same mail tells are the sender's notes beside it, see `store.Notes`.
    """

    id: str
    entry_id: str
    employee_id: str
    kind: Kind
    channel: Channel
    rule: str
    event_id: str
    about_id: str
    at: datetime
    state: DeliveryState = "waiting"
    sent_at: datetime | None = None
    problem: str | None = None


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of the day in Asia/Jakarta in which no mail goes out, `HH:MM`; equal ends mean none."""

    start: str = "00:00"
    end: str = "00:00"

    def until(self, now: datetime) -> datetime | None:
        """The end of the quiet hours that `now` falls into, or None when it may be disturbed."""
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        local = now.astimezone(JAKARTA)
        here = local.time()
        over_midnight = start > end
        quiet = (here >= start or here < end) if over_midnight else start <= here < end
        if not quiet:
            return None
        day = local.date() + timedelta(days=1) if over_midnight and here >= start else local.date()
        return datetime.combine(day, end, JAKARTA).astimezone(now.tzinfo)


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """How one person wants to be told. id: the employee's. channels: by kind; a kind not named is mailed."""

    id: str
    language: Language = "id"
    channels: Mapping[str, tuple[str, ...]] = {}
    quiet: Quiet = Quiet()

    def by_mail(self, kind: Kind) -> bool:
        """Whether this kind goes to the person's mail box, too."""
        return "mail" in self.channels.get(kind, ("mail",))


def backoff(attempts: int) -> timedelta:
    """How long to wait after that many tries: 5 s, doubled each time, at most a quarter of an hour."""
    doublings: int = min(max(attempts, 1) - 1, 10)
    return min(BACKOFF_FIRST * (1 << doublings), BACKOFF_LONGEST)


def patience(waited: timedelta) -> timedelta:
    """When to look again for names that have not arrived: soon at first, then ever more seldom."""
    return min(max(waited / 4, timedelta(seconds=1)), BACKOFF_LONGEST)


def too_old(at: datetime, now: datetime) -> bool:
    """Whether something recorded at `at` is too old for a mail."""
    return now - at > MAIL_AGE


def concluded(delivery: Delivery, state: DeliveryState, problem: str | None, now: datetime) -> Delivery:
    """The delivery at its end: sent, or not sent and why."""
    sent_at = now if state == "sent" else None
    return msgspec.structs.replace(delivery, state=state, problem=problem, sent_at=sent_at)


def retried(delivery: Delivery, now: datetime) -> Delivery:
    """The delivery put back into the queue by a person; one that waits already stays as it is.

    Raises Refused `transition` unless it failed, `too-old` when nobody should be mailed about it any more.
    """
    if delivery.state == "waiting":
        return delivery
    if delivery.state != "failed":
        raise Refused("transition", _ONLY_FAILED)
    if too_old(delivery.at, now):
        raise Refused("too-old", _TOO_OLD)
    return msgspec.structs.replace(delivery, state="waiting", problem=None)


_ONLY_FAILED = Text(
    "Hanya pengiriman yang gagal yang dapat diulangi.",
    "Only a delivery that failed can be tried again.",
)
_TOO_OLD = Text(
    "Kejadiannya sudah lebih dari tujuh hari; surel tidak dikirim lagi.",
    "It happened more than seven days ago; no mail is sent about it any more.",
)
