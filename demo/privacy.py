"""Looks for personal data where none belongs: in all logs, and in every record of every topic, dead letters too.
`python -m demo.privacy DIRECTORY` looks through the logs in a directory alone; exit 1 when it finds something.

What is looked for is what the story knows of its 1,200 people, and whatever has the shape of a NIP, a mail address
or a token. Only `enrollment.people` may hold names and mail addresses.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from kafka.structs import TopicPartition

from demo.story.city import Person, read_city
from demo.story.words import ACTIONS, COMMENTS, NOTES, POTENTIAL
from infra.messaging import kafka
from infra.messaging.topics import COMPACTED
from infra.settings import Settings
from infra.wording import counted

NIP, NAME, MAIL, PHONE, TOKEN, PROSE = "NIP", "name", "mail address", "phone", "token", "free text"
ALLOWED = frozenset((NAME, MAIL))
"""In `enrollment.people`, whence the other services have them."""

_SHAPES = {
    NIP: re.compile(r"(?<![0-9A-Fa-f-])(?:19|20)[0-9]{2}[01][0-9][0-3][0-9](?:19|20)[0-9]{8}(?![0-9A-Fa-f])"),
    MAIL: re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    PHONE: re.compile(r"(?<![0-9A-Fa-f.-])(?:\+62|08)[0-9]{8,11}(?![0-9A-Fa-f])"),
    TOKEN: re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{20,}"),
}
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"[0-9]{9,}")
_QUOTED = re.compile(r'"([^\W\d_]+)"')


class Secrets:
    """What must not be found."""

    def __init__(self, people: Iterable[Person]) -> None:
        everybody = list(people)
        names = [tuple(_WORD.findall(person.name.split(",")[0].lower())) for person in everybody]
        # Two words name somebody wherever they stand, one word only when it is all that stands between quotes.
        self._pairs = frozenset(name[:2] for name in names if len(name) > 1)
        self._single = frozenset(name[0] for name in names if len(name) == 1)
        self._phones = frozenset(person.phone for person in everybody if person.phone)
        self._prose = (*ACTIONS, *COMMENTS, *NOTES, *POTENTIAL)

    def found_in(self, text: str) -> set[str]:
        """The kinds of personal data that the text holds."""
        found = {kind for kind, shape in _SHAPES.items() if shape.search(text)}
        words = _WORD.findall(text.lower())
        if not self._pairs.isdisjoint(pairwise(words)):
            found.add(NAME)
        if not self._single.isdisjoint(_QUOTED.findall(text.lower())):
            found.add(NAME)
        if not self._phones.isdisjoint(_NUMBER.findall(text)):
            found.add(PHONE)
        if any(prose in text for prose in self._prose):
            found.add(PROSE)
        return found


@dataclass
class Search:
    """How much was looked at, and how often which kind was found where."""

    lines: int = 0
    events: int = 0
    letters: int = 0
    found: Counter[tuple[str, str]] = field(default_factory=Counter)

    def told(self) -> str:
        """One line for people; what was found is named by kind and place, never quoted."""
        places = f"in {self.lines:,} log lines, {self.events:,} events and {counted(self.letters, 'dead letter')}"
        first = f"Personal data where none belongs: {self.found.total():,} found {places}"
        return ", ".join([first, *(f"{kind} in {place} {times}x" for (place, kind), times in self.found.items())])


def search(secrets: Secrets, logs: Path, settings: Settings) -> Search:
    """Looks through all log files of a folder and all topics of the broker."""
    result = search_logs(secrets, logs)
    for record in kafka.records(settings, *_everywhere(settings)):
        look_at_record(secrets, record.topic.removeprefix(settings.topic_prefix), _parts(record), result)
    return result


def search_logs(secrets: Secrets, logs: Path) -> Search:
    """Looks through all log files of a folder."""
    result = Search()
    for path in sorted(logs.glob("*.log")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            look_at_log(secrets, path.name, lines, result)
    return result


def look_at_log(secrets: Secrets, name: str, lines: Iterable[str], result: Search) -> None:
    """Counts and looks at each line of a log."""
    for line in lines:
        result.lines += 1
        result.found.update((name, kind) for kind in secrets.found_in(line))


def look_at_record(secrets: Secrets, topic: str, parts: Mapping[str, str], result: Search) -> None:
    """Counts and looks at one record. parts: key, value and headers; a key is personal data nowhere."""
    if topic.endswith(".dead-letters"):
        result.letters += 1
    else:
        result.events += 1
    for part, text in parts.items():
        allowed = ALLOWED if topic in COMPACTED and part == "value" else frozenset()
        result.found.update((f"{part} in {topic}", kind) for kind in secrets.found_in(text) - allowed)


def _everywhere(settings: Settings) -> list[TopicPartition]:
    """Every partition of every topic, also of those that nobody thought of."""
    consumer = kafka.consumer(settings, None)
    try:
        topics = sorted(topic for topic in consumer.topics() if not topic.startswith("__"))
        return [
            TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)
        ]
    finally:
        consumer.close()


def _parts(record: Any) -> dict[str, str]:
    headers = " ".join(f"{name}={(value or b'').decode(errors='replace')}" for name, value in record.headers)
    return {
        "key": (record.key or b"").decode(errors="replace"),
        "value": (record.value or b"").decode(errors="replace"),
        "headers": headers,
    }


def main(logs: Path) -> int:
    """Says what is in the logs of a system in which the story was played; 1 when something is, or no line."""
    city = read_city(Path(__file__).parent / "data")
    result = search_logs(Secrets(city.people.values()), logs)
    print(result.told())
    return 0 if result.lines and not result.found else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
