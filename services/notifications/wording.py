"""Entries and mails in words: ids become names, days become those of Asia/Jakarta, in the reader's language.

Texts are made at the moment of reading or sending, so that an erased name is gone from old entries, too.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from babel.dates import format_date, format_interval, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, pass_context, select_autoescape
from jinja2.runtime import Context

from infra.clock import JAKARTA, day_of
from infra.problems import Language, Text
from services.notifications.domain import Entry

LOCALES: Mapping[Language, str] = {"id": "id_ID", "en": "en_GB"}

LEVELS = (
    Text("tingkat 0 (belum menguasai)", "level 0 (none)"),
    Text("tingkat 1 (tahu)", "level 1 (knows it)"),
    Text("tingkat 2 (dapat dengan bantuan)", "level 2 (does it with help)"),
    Text("tingkat 3 (mandiri)", "level 3 (does it alone)"),
    Text("tingkat 4 (dapat mengajarkan)", "level 4 (can teach it)"),
)
SOMEBODY = Text("rekan Anda", "your colleague")
READER = Text("Bapak/Ibu", "colleague")


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as a text speaks of it."""

    name: str
    starts_on: date
    ends_on: date
    venue: str


SOME_BATCH = Text("pelatihan perwakilan", "the training of representatives")


class Names(msgspec.Struct, frozen=True):
    """The names behind the ids. people: None for somebody who was erased; batches and competencies as copied."""

    people: Mapping[str, str | None] = {}
    batches: Mapping[str, Batch] = {}
    competencies: Mapping[str, Text] = {}

    def complete_for(self, entry: Entry) -> bool:
        """Whether everything that the text names has arrived; a mail waits until it has."""
        details = entry.details
        people = {entry.employee_id, details.other_id} - {None}
        return (
            people <= self.people.keys()
            and (details.batch_id is None or details.batch_id in self.batches)
            and (details.competency is None or details.competency in self.competencies)
        )


class Message(NamedTuple):
    """A title, a text, and the lines of a list where several things are told at once."""

    title: str
    text: str
    items: tuple[str, ...] = ()


class MailText(NamedTuple):
    """A mail ready to be sent, but for its envelope."""

    subject: str
    plain: str
    html: str


def message(entry: Entry, names: Names, language: Language) -> Message:
    """The entry in words, with plain substitutes for names that are erased or have not arrived yet."""
    template, values = _template(entry.kind, language), _values(entry, names, language)
    return Message(_block(template, "title", values), _block(template, "text", values))


def combined(entries: Sequence[Entry], names: Names, language: Language) -> Message:
    """Entries of one kind in one message; a single one reads as it does in the inbox."""
    if len(entries) == 1:
        return message(entries[0], names, language)
    template = _template(entries[0].kind, language)
    values = {"count": len(entries), "language": language}
    ordered = sorted(entries, key=lambda entry: (entry.details.at or entry.at, entry.id))
    items = tuple(_block(template, "item", _values(entry, names, language)) for entry in ordered)
    return Message(_block(template, "many_title", values), _block(template, "many_text", values), items)


def mail(told: Message, name: str | None, language: Language) -> MailText:
    """The message as a mail to a person of that name."""
    values = {
        "name": name or READER.say(language),
        "title": told.title,
        "text": told.text,
        "items": told.items,
        "language": language,
    }
    plain = _ENVIRONMENT.get_template(f"mail.{language}.txt.j2").render(values)
    html = _ENVIRONMENT.get_template("mail.html.j2").render(values)
    return MailText(_one_line(told.title), plain, html)


def _values(entry: Entry, names: Names, language: Language) -> dict[str, Any]:
    details = entry.details
    values: dict[str, Any] = {name: getattr(details, name) for name in details.__struct_fields__}
    values["language"] = language
    values["other"] = _one_line(names.people.get(details.other_id or "") or SOMEBODY.say(language))
    code = details.competency or ""
    values["competency"] = _one_line(names.competencies.get(code, Text(code, code)).say(language))
    values["batch"] = names.batches.get(details.batch_id or "")
    if values["batch"] is None:
        unknown = SOME_BATCH.say(language)
        values["batch"] = Batch(name=unknown, starts_on=day_of(entry.at), ends_on=day_of(entry.at), venue="-")
    values["over"] = values["batch"].ends_on < day_of(entry.at)
    return values


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _template(name: str, language: Language) -> Template:
    return _ENVIRONMENT.get_template(f"{name}.{language}.j2")


def _block(template: Template, name: str, values: Mapping[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(dict(values)))).strip()


def day(value: date, language: Language) -> str:
    """`Senin, 16 Mei 2016`."""
    return format_date(value, "EEEE, d MMMM y", locale=LOCALES[language])


def moment(value: datetime, language: Language) -> str:
    """`Senin, 16 Mei 2016 pukul 09.00 WIB`, whatever offset the instant came with."""
    clock = format_time(value, "HH:mm", tzinfo=JAKARTA, locale=LOCALES[language])
    if language == "id":
        return f"{day(day_of(value), language)} pukul {clock.replace(':', '.')} WIB"
    return f"{day(day_of(value), language)} at {clock} WIB"


def span(batch: Batch, language: Language) -> str:
    """`16–19 Mei 2016`, or the one day."""
    if batch.starts_on == batch.ends_on:
        return day(batch.starts_on, language)
    return format_interval(batch.starts_on, batch.ends_on, "yMMMMd", locale=LOCALES[language])


@pass_context
def _day_filter(context: Context, value: date) -> str:
    return day(value, context["language"])


@pass_context
def _moment_filter(context: Context, value: datetime) -> str:
    return moment(value, context["language"])


@pass_context
def _span_filter(context: Context, value: Batch) -> str:
    return span(value, context["language"])


@pass_context
def _level_filter(context: Context, value: int) -> str:
    return LEVELS[value].say(context["language"])


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "day": _day_filter,
        "moment": _moment_filter,
        "span": _span_filter,
        "level": _level_filter,
    }
    return environment


_ENVIRONMENT = _environment()
