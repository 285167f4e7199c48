"""When a mail may go out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.problems import Refused
from services.notifications import rules
from services.notifications.domain import (
    BACKOFF_LONGEST,
    MAIL_AGE,
    Delivery,
    Preferences,
    Quiet,
    backoff,
    concluded,
    patience,
    retried,
    too_old,
)
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import NOW

MINUTES = st.integers(0, 24 * 60 - 1)


def jakarta(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+07:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-24T17:59", None),
        ("2026-11-24T18:00", "2026-11-25T07:00"),
        ("2026-11-24T23:59", "2026-11-25T07:00"),
        ("2026-11-25T00:00", "2026-11-25T07:00"),
        ("2026-11-25T06:59", "2026-11-25T07:00"),
        ("2026-11-25T07:00", None),
        ("2026-12-31T20:00", "2027-01-01T07:00"),
    ],
)
def test_quiet_hours_over_midnight(now: str, until: str | None) -> None:
    """Evening and early morning are quiet, in the time of Tangerang."""
    expected = jakarta(until) if until else None
    assert Quiet(start="18:00", end="07:00").until(jakarta(now)) == expected


def test_quiet_hours_within_a_day() -> None:
    """The end is on the same day."""
    noon = Quiet(start="12:00", end="13:00")
    assert noon.until(jakarta("2026-11-24T12:30")) == jakarta("2026-11-24T13:00")
    assert noon.until(jakarta("2026-11-24T13:00")) is None


@given(start=MINUTES, end=MINUTES, at=MINUTES)
def test_quiet_hours_end_within_a_day_and_in_a_time_that_is_not_quiet(start: int, end: int, at: int) -> None:
    """Whatever the hours: a mail waits less than a day, and may go out when it has waited."""
    quiet = Quiet(start=f"{start // 60:02}:{start % 60:02}", end=f"{end // 60:02}:{end % 60:02}")
    now = jakarta("2026-11-24T00:00") + timedelta(minutes=at)
    until = quiet.until(now)
    if start == end:
        assert until is None
    if until is not None:
        assert timedelta(0) < until - now < timedelta(days=1)
        assert quiet.until(until) is None


def test_mail_unless_said_otherwise() -> None:
    """Who never said anything gets mails; one kind can be left out."""
    assert Preferences(id="x").by_mail("accepted")
    chosen = Preferences(id="x", channels={"accepted": (), "mastered": ("mail",)})
    assert [chosen.by_mail(kind) for kind in ("accepted", "mastered", "certified")] == [False, True, True]


def test_pauses_between_tries_grow_up_to_a_quarter_of_an_hour() -> None:
    """5, 10, 20 seconds, and so on."""
    assert [backoff(number).total_seconds() for number in (0, 1, 2, 3)] == [5, 5, 10, 20]
    assert backoff(1000) == BACKOFF_LONGEST
    assert patience(timedelta(0)) == timedelta(seconds=1)
    assert patience(timedelta(days=3)) == BACKOFF_LONGEST


def test_seven_days_are_not_too_old_and_a_moment_more_is() -> None:
    """The bound itself is still mailed."""
    assert not too_old(NOW - MAIL_AGE, NOW)
    assert too_old(NOW - MAIL_AGE - timedelta(milliseconds=1), NOW)


def failed() -> Delivery:
    entry = rules.decide(*told.session()).entries[0]
    return concluded(rules.mail_of(entry, None), "failed", "no-address", NOW)


def test_only_what_failed_is_tried_again() -> None:
    """What was sent or withdrawn is not; what waits stays as it is."""
    again = retried(failed(), NOW)
    assert (again.state, again.problem) == ("waiting", None)
    assert retried(again, NOW) == again
    with pytest.raises(Refused, match="transition"):
        retried(concluded(again, "sent", None, NOW), NOW)


def test_nobody_is_mailed_about_last_week_however_much_hr_wants_it() -> None:
    """A retry is bounded by the same seven days."""
    with pytest.raises(Refused, match="too-old"):
        retried(failed(), NOW + timedelta(days=8))
