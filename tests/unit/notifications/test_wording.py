"""Entries and mails as people read them."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from infra.problems import Language, Text
from services.notifications import rules
from services.notifications.domain import KINDS, Details, Entry, Kind
from services.notifications.wording import Batch, Names, combined, mail, message
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import BATCH, ENDORSER, GUIDE, LEARNER, LETTERS

NAMES = Names(
    people={GUIDE: "Oliva Situmorang", LEARNER: "Warji Uyainah", ENDORSER: "Nardi Nurdiyanti"},
    batches={
        BATCH: Batch(
            name="Angkatan I", starts_on=date(2016, 5, 16), ends_on=date(2016, 5, 19), venue="Sawangan, Depok"
        )
    },
    competencies={LETTERS: Text("Menyusun surat dinas", "Drafting official letters")},
)


def an_entry(kind: Kind = "please_confirm", **details: object) -> Entry:
    shown = {
        "batch_id": BATCH,
        "other_id": GUIDE,
        "competency": LETTERS,
        "guidance": "mentoring",
        "level": 3,
        "due_on": date(2027, 3, 31),
        "at": datetime(2026, 11, 23, 2, 30, tzinfo=UTC),
        "minutes": 60,
        "role": "learner",
        **details,
    }
    entry = rules.decide(*told.session()).entries[0]
    return msgspec.structs.replace(entry, kind=kind, details=Details(**shown))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_in_both_languages(kind: Kind, language: Language) -> None:
    """Title and text, on one line each, without a placeholder left over."""
    for role in ("guide", "learner"):
        title, text, items = message(an_entry(kind, role=role), NAMES, language)
        assert title and text and not items
        assert not any(mark in title + text for mark in ("{", "None", "\n", "  "))


def test_a_session_is_told_with_day_hour_and_place_in_the_words_of_the_reader() -> None:
    """Hours are those of Tangerang."""
    indonesian = message(an_entry(), NAMES, "id")
    assert indonesian.title == "Mohon konfirmasi sesi mentoring dengan Oliva Situmorang"
    assert "Senin, 23 November 2026 pukul 09.30 WIB, 60 menit" in indonesian.text
    english = message(an_entry(), NAMES, "en")
    assert "Drafting official letters, Monday, 23 November 2026 at 09:30 WIB, 60 minutes" in english.text


def test_a_batch_that_is_over_bids_nobody_welcome() -> None:
    """The batch of 2016 is entered today."""
    text = message(an_entry("accepted"), NAMES, "id").text
    assert text == "Anda tercatat sebagai peserta Angkatan I, 16–19 Mei 2016, di Sawangan, Depok."
    coming = Batch(name="II", starts_on=date(2027, 5, 10), ends_on=date(2027, 5, 10), venue="Depok")
    names = Names(NAMES.people, {BATCH: coming}, NAMES.competencies)
    assert "Senin, 10 Mei 2027, di Depok. Sampai jumpa" in message(an_entry("accepted"), names, "id").text


def test_an_erased_name_is_gone_from_old_entries() -> None:
    """And an entry whose names have not arrived can be read all the same; only a mail waits for them."""
    erased = Names({GUIDE: None, LEARNER: "Warji"}, NAMES.batches, NAMES.competencies)
    assert message(an_entry(), erased, "id").title.endswith("dengan rekan Anda")
    assert erased.complete_for(an_entry())
    assert "Oliva" not in repr(message(an_entry(), Names(), "en"))
    assert LETTERS in message(an_entry(), Names(), "en").text
    for kind in KINDS:
        assert message(an_entry(kind), Names(), "id").title
    assert not Names(NAMES.people, NAMES.batches).complete_for(an_entry())
    assert not Names({GUIDE: "Oliva"}, NAMES.batches, NAMES.competencies).complete_for(an_entry())


@pytest.mark.parametrize("kind", ["please_confirm", "please_endorse"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_many_that_wait_make_one_mail_that_lists_each(kind: Kind, language: Language) -> None:
    """Oldest session first."""
    days = [datetime(2026, 11, day, 2, 0, tzinfo=UTC) for day in (20, 3, 11)]
    entries = [msgspec.structs.replace(an_entry(kind, at=at), id=f"{number}") for number, at in enumerate(days)]
    told_at_once = combined(entries, NAMES, language)
    assert "3" in told_at_once.title
    assert ["3 Nov" in item for item in told_at_once.items] == [True, False, False]
    text = mail(told_at_once, "Warji", language)
    assert text.plain.count("\n- ") == 3
    assert text.html.count("<li") == 3


def test_one_that_waits_reads_as_in_the_inbox() -> None:
    """No list of one."""
    assert combined([an_entry()], NAMES, "id") == message(an_entry(), NAMES, "id")


def test_names_are_text_in_html_and_one_line_in_a_subject() -> None:
    """A name is somebody else's input."""
    nasty = Names({GUIDE: "<b>Oliva</b>\r\nBcc: x@example.com"}, NAMES.batches, NAMES.competencies)
    text = mail(message(an_entry(), nasty, "id"), "Nur'aini <script>", "id")
    assert "\n" not in text.subject
    assert "<b>" not in text.html
    assert "<script>" not in text.html
    assert "Nur'aini <script>" in text.plain


def test_plain_lines_stay_short() -> None:
    """A mail is readable in a terminal, too; only the footer is a little longer."""
    plain = mail(combined([an_entry(), an_entry()], NAMES, "id"), "Warji Uyainah", "id").plain
    assert plain.startswith("Yth. Warji Uyainah,\n")
    assert max(len(line) for line in plain.split("\n--\n")[0].splitlines()) <= 78
