"""Part of the worker that sends waiting mails: one at a time, by one worker at a time.

Everything about a waiting delivery is decided here, when its turn comes: whether it is still true, whether the
names have arrived, whether the person may be disturbed, and which others the same mail can tell. A mail is handed
over before that is written down, so a crash in between repeats it, with the same Message-ID; it is never lost.
"""

import logging
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage

from prometheus_client import Counter
from pymongo.errors import PyMongoError

from infra.actor import system_actor
from infra.clock import Clock
from infra.problems import Language
from infra.storage.aggregates import Change, Stale, Stored
from infra.storage.leases import Lease
from services.notifications import domain, rules, wording
from services.notifications.channels import Busy, Channel, Envelope, Rejected, Unreachable, compose
from services.notifications.domain import ASKING, Delivery, DeliveryState, Entry
from services.notifications.store import Store, notes
from services.notifications.wording import MailText

log = logging.getLogger(__name__)

MAILS = Counter("bina_mails", "Mails by how they ended, failed attempts included", ["outcome"])

LEASE_SECONDS = 30.0
"""How long mails rest when a sender dies. If one hangs for longer, another may send its mail, too."""

MOST_IN_ONE = 100
MOST_AT_ONCE = 200
REST = timedelta(minutes=1)
"""How long a delivery rests after a failure that nobody foresaw."""

SWEEP_SECONDS = 2.0
LONGEST_PAUSE = 30.0
SYSTEM = system_actor("notifications")


class Sender:
    """sender: the address that mails come from. every: seconds between two looks when there is nothing to do."""

    name = "sender"

    def __init__(
        self, store: Store, channel: Channel, clock: Clock, sender: Address, *, every: float = 0.5
    ) -> None:
        self._store = store
        self._channel = channel
        self._clock = clock
        self._sender = sender
        self._every = every
        self._lease = Lease(store.database, "sender", LEASE_SECONDS)
        self._leased_until = 0.0
        self._sweep_again = 0.0
        self._unreachable = 0

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; trouble with the mail server or the database is waited out."""
        while not stop.is_set():
            unreachable = self._unreachable
            try:
                busy = self._prolong() and self.send_next()
            except PyMongoError as error:
                log.warning("the sender waits for the database", extra={"reason": type(error).__name__})
                busy = False
            # Only who needs the mail server waits for it.
            away = self._unreachable > unreachable
            if away or not busy:
                self._channel.close()
                stop.wait(self._pause() if away else self._every)
        self._channel.close()
        self._lease.release()

    def _pause(self) -> float:
        """Seconds to wait for the mail server: longer each time in a row that it can't be reached."""
        return min(self._every * 2.0 ** min(self._unreachable, 10), LONGEST_PAUSE)

    def _prolong(self) -> bool:
        """Keeps the lease; asks the database only when half of it is used up."""
        asked = time.monotonic()
        if asked < self._leased_until - LEASE_SECONDS / 2:
            return True
        held = self._lease.acquire()
        self._leased_until = asked + LEASE_SECONDS if held else 0.0
        return held

    def send_next(self) -> bool:
        """Takes up the delivery whose turn it is; False when there is none."""
        self._sweep()
        stored = self._store.next_due(self._clock())
        if stored is None:
            return False
        try:
            self._take_up(stored)
        except Stale:
            log.info("a delivery changed meanwhile", extra={"delivery": stored.state.id})
        except PyMongoError:
            raise
        except Exception:
            # One delivery that can't be worked on must not hold up the others.
            log.exception("a delivery rests", extra={"delivery": stored.state.id})
            self._store.put_off(stored, self._clock() + REST)
        return True

    # --- deciding

    def _sweep(self) -> None:
        """Decides many together, and rests where it found little; what it leaves is decided one by one."""
        asked = time.monotonic()
        if asked < self._sweep_again:
            return
        self._sweep_again = asked + SWEEP_SECONDS
        try:
            if 2 * self._withdraw_void() > MOST_AT_ONCE:
                self._sweep_again = 0.0
        except PyMongoError:
            raise
        except Exception:
            log.exception("deliveries can't be decided together")

    def _withdraw_void(self) -> int:
        """Withdraws what is due and no longer true: most of what asks is answered before its mail is due.

        Bounded; gives how many it found.
        """
        now = self._clock()
        due = [stored for stored in self._store.due(now, MOST_AT_ONCE) if not notes(stored).members]
        true = {entry.id for entry in self._true_ones(due)}
        void = [stored for stored in due if stored.state.entry_id not in true]
        change = self._change(now, "withdrawn")
        done = self._store.deliveries.replace_many(
            [(stored, domain.concluded(stored.state, "withdrawn", "void", now), change, None) for stored in void]
        )
        MAILS.labels("withdrawn").inc(sum(done))
        return len(void)

    def _take_up(self, stored: Stored[Delivery]) -> None:
        now, delivery = self._clock(), stored.state
        entries = self._true_ones([stored, *self._members(stored)])
        preferences = self._store.preferences_of([delivery.employee_id])[delivery.employee_id]
        if not entries:
            self._conclude(stored, "withdrawn", "void")
        elif domain.too_old(delivery.at, now):
            self._conclude(stored, "failed", "expired")
        elif not preferences.by_mail(delivery.kind):
            self._conclude(stored, "withdrawn", "not-wanted")
        elif quiet_until := preferences.quiet.until(now):
            self._store.put_off(stored, quiet_until)
        else:
            self._when_names_known(stored, entries, preferences.language)

    def _when_names_known(self, stored: Stored[Delivery], entries: list[Entry], language: Language) -> None:
        now, delivery = self._clock(), stored.state
        names = self._store.names_for(entries)
        if not all(names.complete_for(entry) for entry in entries):
            self._store.put_off(stored, now + domain.patience(now - stored.updated_at))
        elif (name := names.people[delivery.employee_id]) is None:
            self._conclude(stored, "withdrawn", "erased")
        elif (address := self._store.mail_address(delivery.employee_id)) is None:
            self._conclude(stored, "failed", "no-address")
        else:
            if delivery.kind in ASKING:
                stored, entries = self._gather(stored)
                names = self._store.names_for(entries)
            if not entries:
                # Answered between the two looks.
                self._conclude(stored, "withdrawn", "void")
                return
            text = wording.mail(wording.combined(entries, names, language), name, language)
            self._send(stored, Envelope(delivery.id, self._sender, name, address, now, language), text)

    def _true_ones(self, deliveries: Iterable[Stored[Delivery]]) -> list[Entry]:
        """The entries of these deliveries that are still so."""
        entries = self._store.entries_by_id(each.state.entry_id for each in deliveries)
        subjects = self._store.subjects_by_id(entry.about_id for entry in entries.values())
        return [
            entry
            for entry in entries.values()
            if rules.holds(entry.kind, entry.occasion, subjects.get(entry.about_id))
        ]

    # --- one mail for many

    def _gather(self, stored: Stored[Delivery]) -> tuple[Stored[Delivery], list[Entry]]:
        """Lets this mail tell what else of its kind waits for the person; the others are withdrawn as `combined`.

        Written down before anything is sent: a repeat after a crash tells the same.
        """
        others = self._members(stored)
        if not others and (others := self._others(stored.state)):
            self._store.note([stored.state.id], members=[other.state.id for other in others])
            stored = self._store.deliveries.get(stored.state.id) or stored
        now = self._clock()
        change = self._change(now, "withdrawn")
        self._store.deliveries.replace_many(
            [
                (other, domain.concluded(other.state, "withdrawn", "combined", now), change, None)
                for other in others
                if other.state.state == "waiting"
            ]
        )
        return stored, self._true_ones([stored, *others])

    def _members(self, stored: Stored[Delivery]) -> list[Stored[Delivery]]:
        """Other deliveries that this mail tells, as was written down before."""
        members = notes(stored).members
        return list(self._store.deliveries.many(members).values()) if members else []

    def _others(self, delivery: Delivery) -> list[Stored[Delivery]]:
        """Waiting deliveries that could go out in the same mail right now."""
        others = self._store.waiting_with(delivery, MOST_IN_ONE - 1)
        entries = {entry.id: entry for entry in self._true_ones(others)}
        names = self._store.names_for(entries.values())
        return [
            other
            for other in others
            if (entry := entries.get(other.state.entry_id)) is not None and names.complete_for(entry)
        ]

    # --- sending

    def _send(self, stored: Stored[Delivery], envelope: Envelope, text: MailText) -> None:
        attempts = notes(stored).attempts + 1
        try:
            self._hand_over(compose(envelope, text))
        except Rejected as error:
            self._conclude(stored, "failed", error.problem, attempts)
        except Busy:
            MAILS.labels("busy").inc()
            self._again(stored, attempts)
        except Unreachable as error:
            MAILS.labels("unreachable").inc()
            log.warning("the mail server can't be reached", extra={"reason": str(error)})
            self._again(stored, attempts)
        else:
            self._conclude(stored, "sent", None, attempts)

    def _hand_over(self, message: EmailMessage) -> None:
        """Counts how often in a row the server was away: who refuses a mail is there. Raises as `Channel.send`."""
        try:
            self._channel.send(message)
        except Unreachable:
            self._unreachable += 1
            raise
        except (Busy, Rejected):
            self._unreachable = 0
            raise
        self._unreachable = 0

    def _again(self, stored: Stored[Delivery], attempts: int) -> None:
        self._store.note([stored.state.id], attempts=attempts, next_at=self._clock() + domain.backoff(attempts))

    # --- concluding

    def _conclude(
        self, stored: Stored[Delivery], state: DeliveryState, problem: str | None, attempts: int | None = None
    ) -> None:
        now = self._clock()
        after = domain.concluded(stored.state, state, problem, now)
        tried = None if attempts is None else {"attempts": attempts}
        self._store.deliveries.replace(stored, after, self._change(now, state), extra=tried)
        MAILS.labels(state).inc()

    def _change(self, now: datetime, state: DeliveryState) -> Change:
        return Change(type=f"delivery.{state}", actor=SYSTEM, at=now, effective_at=now)
