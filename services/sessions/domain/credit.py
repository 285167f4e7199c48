"""JP: what a confirmed session or a certificate is worth (Programme rules, Credit)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct, structs

from infra.clock import day_of
from infra.problems import Text

from .copies import Kind, Participation
from .session import Session

Source = Literal["sessions", "certification", "imported"]
SOURCES: tuple[Source, ...] = ("sessions", "certification", "imported")


class Row(Struct, frozen=True, kw_only=True):
    """What one kind of activity earns while the row is valid. a_month: most activities credited a month.

    valid_to: last day, None while it goes on. source: where the rule stands; checked: whether somebody did.
    """

    kind: Kind
    jp: int
    a_month: int
    least_minutes: int
    valid_from: date
    valid_to: date | None = None
    source: str
    checked: bool = False

    def covers(self, kind: Kind, day: date) -> bool:
        """Whether the row is the one for this kind on this day."""
        if kind != self.kind or day < self.valid_from:
            return False
        return self.valid_to is None or day <= self.valid_to


def _house_rule(kind: Kind) -> Row:
    return Row(
        kind=kind,
        jp=2,
        a_month=2,
        least_minutes=30,
        valid_from=date(2018, 1, 1),
        source="house rule",
    )


DEFAULT_TABLE: tuple[Row, ...] = (_house_rule("coaching"), _house_rule("mentoring"))


class Why(Struct, frozen=True, kw_only=True):
    """Why nothing was credited, in both languages; system text, no personal data."""

    id: str
    en: str


class Worth(Struct, frozen=True, kw_only=True):
    """What something earns; with jp 0 the rule that says so."""

    jp: int
    rule: str | None = None
    why: Why | None = None


class Credit(Struct, frozen=True, kw_only=True):
    """JP of one learner from a session, a certificate or other training. on: the Jakarta day of it."""

    id: str
    learner_id: str
    source: Source
    on: date
    jp: int
    session_id: str | None = None
    batch_id: str | None = None
    kind: Kind | None = None
    rule: str | None = None
    why: Why | None = None

    @property
    def stands(self) -> bool:
        """Whether what it rests on still does; else it is kept with 0 JP for those who saw it."""
        return self.rule not in FALLEN


def _nothing(rule: str, why: Text) -> Worth:
    return Worth(jp=0, rule=rule, why=Why(id=why.id, en=why.en))


BEFORE_TABLE = _nothing(
    "before-table",
    Text("Belum ada tabel JP yang berlaku pada hari itu.", "No credit table was valid on that day yet."),
)
AFTER_TABLE = _nothing(
    "after-table",
    Text("Tabel JP tidak berlaku lagi pada hari itu.", "No credit table was valid on that day any more."),
)
NOT_CONFIRMED = _nothing(
    "not-confirmed",
    Text("Sesi ini tidak lagi dikonfirmasi.", "The session is not confirmed any more."),
)
NOT_CERTIFIED = _nothing(
    "not-certified",
    Text("Sertifikat ini tidak lagi berlaku.", "The certificate is not valid any more."),
)
FALLEN = frozenset({NOT_CONFIRMED.rule, NOT_CERTIFIED.rule})

_TOO_SHORT = Text("Lamanya kurang dari {least} menit.", "It lasted less than {least} minutes.")
_OVER_CAP = Text(
    "Sudah {most} kegiatan yang dihitung pada bulan itu.",
    "{most} activities were credited in that month already.",
)


def month_of(session: Session) -> str:
    """The Jakarta month in which the session started: `2026-11`."""
    return f"{day_of(session.started_at):%Y-%m}"


def worths(sessions: Iterable[Session], table: Sequence[Row]) -> dict[str, Worth]:
    """What each confirmed session of one learner, one kind and one month earns, by its id.

    Places under the month's cap go in the order of `started_at`; what is too short takes none.
    """
    found: dict[str, Worth] = {}
    credited = 0
    for session in sorted(sessions, key=lambda one: (one.started_at, one.id)):
        day = day_of(session.started_at)
        row = next((row for row in table if row.covers(session.kind, day)), None)
        if row is None:
            found[session.id] = _outside(session.kind, day, table)
        elif session.minutes < row.least_minutes:
            found[session.id] = _nothing("too-short", _TOO_SHORT.format(least=row.least_minutes))
        elif credited >= row.a_month:
            found[session.id] = _nothing("over-cap", _OVER_CAP.format(most=row.a_month))
        else:
            credited += 1
            found[session.id] = Worth(jp=row.jp)
    return found


def _outside(kind: Kind, day: date, table: Sequence[Row]) -> Worth:
    begun = any(row.kind == kind and row.valid_from <= day for row in table)
    return AFTER_TABLE if begun else BEFORE_TABLE


def from_session(credit_id: str, session: Session, worth: Worth) -> Credit:
    """The credit of a session."""
    return Credit(
        id=credit_id,
        learner_id=session.learner_id,
        source="sessions",
        session_id=session.id,
        kind=session.kind,
        on=day_of(session.started_at),
        **structs.asdict(worth),
    )


def from_certificate(credit_id: str, part: Participation, jp: int | None) -> Credit | None:
    """The credit of a certificate by its batch's own JP, table or not; None where there is none to give."""
    if part.certified_at is None or not jp:
        return None
    worth = Worth(jp=jp) if part.state == "certified" else NOT_CERTIFIED
    return Credit(
        id=credit_id,
        learner_id=part.employee_id,
        source="certification",
        batch_id=part.batch_id,
        on=day_of(part.certified_at),
        **structs.asdict(worth),
    )


def totals(granted: Iterable[Credit]) -> dict[Source, int]:
    """JP by source."""
    sums: dict[Source, int] = dict.fromkeys(SOURCES, 0)
    for credit in granted:
        sums[credit.source] += credit.jp
    return sums
