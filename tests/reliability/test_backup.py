"""Everything is saved while people write, and brought back elsewhere: what was accepted until then is there."""

import os
import stat
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Self

import pytest

from infra.clock import JAKARTA
from infra.operations.backup import CannotRestore, load, save
from infra.settings import PORTS, Settings
from infra.storage.mongo import connect
from tests.conftest import SettingsFor, Tokens
from tests.e2e.conftest import Bina, system
from tests.e2e.office import YESTERDAY, Office
from tests.support import eventually

pytestmark = pytest.mark.timeout(600)


class Phone:
    """A guide who posts one session after the other, and a learner who confirms every second one."""

    def __init__(self, bina: Bina, office: Office) -> None:
        self._office = office
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(bina,))
        self.accepted: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def post(self, bina: Bina, number: int, id_: str) -> None:
        """The session with this number, to any copy of the system; more than once does no harm."""
        start = datetime.combine(_day_of(number), time(6), JAKARTA) + timedelta(minutes=40 * (number % 16))
        session = {**self._office.session(start), "minutes": 30}
        bina.by("sessions", self._office.guide, "employee").put(f"/v1/sessions/{id_}", session).expect(200, 201)
        if number % 2:
            learner = bina.by("sessions", self._office.learner, "employee")
            learner.post(f"/v1/sessions/{id_}/transitions", {"to": "confirmed"}).expect(200)

    def _work(self, bina: Bina) -> None:
        while not self._stop.is_set():
            id_ = str(uuid.uuid4())
            self.post(bina, len(self.accepted), id_)
            self.accepted.append(id_)


def _day_of(number: int) -> date:
    """When the session with this number was: sixteen have room in a day."""
    return YESTERDAY - timedelta(days=number // 16)


@pytest.fixture
def bina(settings_for: SettingsFor, tokens: Tokens, tmp_path: Path) -> Iterator[Bina]:
    """The system that is saved."""
    with system({name: settings_for(name) for name in PORTS}, tokens, tmp_path / "mails") as bina:
        yield bina


@pytest.fixture
def elsewhere(settings_for: SettingsFor) -> Iterator[dict[str, Settings]]:
    """Settings of another copy: empty databases, and topics that nobody has written to."""
    own = {name: settings_for(name) for name in PORTS}
    other = {
        name: replace(each, database=f"{each.database}_other", topic_prefix=f"{each.topic_prefix}other.")
        for name, each in own.items()
    }
    yield other
    for each in other.values():
        database = connect(each)
        database.client.drop_database(database.name)


def test_a_backup_made_while_people_write_comes_back_whole(
    bina: Bina, elsewhere: dict[str, Settings], tokens: Tokens, tmp_path: Path
) -> None:
    """What was accepted before it began is in it; each figure equals what is in it; the phones add the rest."""
    # Whoever posts as fast as this may get through weeks.
    office = Office(bina, paired_days=300)
    bina.settle()
    with Phone(bina, office) as phone:
        eventually(lambda: len(phone.accepted) >= 10)
        before = list(phone.accepted)
        save(list(bina.settings.values()), tmp_path / "backup")
        eventually(lambda: len(phone.accepted) > len(before) + 5)
    bina.settle()
    load(list(elsewhere.values()), tmp_path / "backup")
    with pytest.raises(CannotRestore, match="is not empty"):
        load(list(elsewhere.values()), tmp_path / "backup")

    with system(elsewhere, tokens, tmp_path / "other mails") as other:
        other.settle()
        saved = {each["_id"]: each["status"] for each in connect(elsewhere["sessions"])["sessions"].find()}
        assert set(before) <= saved.keys() < set(phone.accepted)
        months = {_day_of(number).isoformat()[:7] for number in range(len(phone.accepted))}
        eventually(lambda: _counted(other, months) == _confirmed(saved))
        for number, id_ in enumerate(phone.accepted):
            phone.post(other, number, id_)
        for month in months:
            eventually(lambda month=month: other.kpis(month) == bina.kpis(month))  # type: ignore[misc]


def _counted(bina: Bina, months: set[str]) -> int:
    return sum(bina.kpis(month)[("sessions", "mentoring")][0] for month in months)


def _confirmed(saved: dict[str, str]) -> int:
    return sum(status == "confirmed" for status in saved.values())


def test_a_backup_is_never_mixed_with_another(settings_for: SettingsFor, tmp_path: Path) -> None:
    """A directory that is empty already is as good as a new one; one that holds something is refused."""
    settings = settings_for("sessions")
    connect(settings)["sessions"].insert_one({"_id": "a"})
    save([settings], tmp_path / "new")
    with pytest.raises(FileExistsError, match="not empty"):
        save([settings], tmp_path / "new")
    (tmp_path / "empty").mkdir()
    save([settings], tmp_path / "empty")
    assert (tmp_path / "empty/manifest.json").exists()


def test_nobody_else_reads_a_backup(settings_for: SettingsFor, tmp_path: Path) -> None:
    """Its directories and files are their owner's alone, whatever the usual mode is."""
    settings = settings_for("enrollment")
    connect(settings)["employees"].insert_one({"_id": "x"})
    usual = os.umask(0)
    try:
        save([settings], tmp_path / "backup")
    finally:
        os.umask(usual)
    modes = {
        stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "backup", *(tmp_path / "backup").rglob("*")]
    }
    files = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "backup").rglob("*") if path.is_file()}
    assert (files, modes) == ({0o600}, {0o600, 0o700})


def test_a_damaged_backup_changes_nothing(
    settings_for: SettingsFor, elsewhere: dict[str, Settings], tmp_path: Path
) -> None:
    """A file that is not what the manifest says is found before anything is written."""
    settings = settings_for("sessions")
    connect(settings)["sessions"].insert_one({"_id": "a"})
    save([settings], tmp_path / "backup")
    file = tmp_path / "backup" / settings.database / "sessions.bson.gz"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CannotRestore, match="damaged"):
        load([elsewhere["sessions"]], tmp_path / "backup")
    assert connect(elsewhere["sessions"]).list_collection_names() == []
