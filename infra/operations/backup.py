"""Backup and restore of all services' databases: `python -m infra.operations.backup save|load <directory>`.

All collections of all databases are read at one and the same instant, while everything runs on. The log is no part
of it: it is filled again from the databases (docs/operations.md).
"""

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bson import decode_file_iter
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, WriteConcern
from pymongo.client_session import ClientSession
from pymongo.database import Database

from infra.clock import system_clock, to_wire
from infra.settings import PORTS, Settings, SettingsError
from infra.wording import counted

BATCH = 1_000
NOT_KEPT = ("leases", "guards")
"""Of use only while it runs."""

RESTORED = "none: restored from a backup"

Raw = MongoClient[RawBSONDocument]


class CannotRestore(Exception):
    """The message says what is in the way."""


def save(settings: Sequence[Settings], directory: Path) -> dict[str, Any]:
    """Writes all databases of these services to a new or empty directory; gives what stands in its manifest.

    Raises FileExistsError where something is in it; PyMongoError, `SnapshotTooOld` where reading takes longer
    than MongoDB keeps the past (`minSnapshotHistoryWindowInSeconds`, five minutes unless set).
    """
    # It will hold names and notes.
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")
    client = _client(settings)
    try:
        # Names first: they can't be read of an instant. A collection made later was empty at it.
        names = {each.database: sorted(_collections(client[each.database])) for each in settings}
        with client.start_session(snapshot=True) as session:
            databases = {
                database: {name: _dump(client, database, name, session, directory) for name in collections}
                for database, collections in names.items()
            }
        manifest = {"made_at": to_wire(system_clock()), "databases": databases}
    finally:
        client.close()
    # Written last: a directory without it is no backup.
    _private(directory / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return manifest


def load(settings: Sequence[Settings], directory: Path) -> dict[str, Any]:
    """Brings a backup into empty databases; gives its manifest. Raises CannotRestore, and changes nothing then.

    Databases are matched by service, so they may have other names than when they were saved.
    """
    manifest = _manifest(directory)
    client = _client(settings)
    try:
        targets = _targets(manifest, settings)
        for target in targets.values():
            if filled := [name for name in _collections(client[target]) if client[target][name].find_one()]:
                raise CannotRestore(f"{target} is not empty: it holds {', '.join(sorted(filled))}")
        for saved, target in targets.items():
            for name, told in manifest["databases"][saved].items():
                _fill(client[target], name, directory / saved / f"{name}.bson.gz", told["documents"])
            # To the relay the log is another one than before, so that it sends everything again.
            client[target]["relay"].replace_one({"_id": "cluster"}, {"cluster_id": RESTORED}, upsert=True)
    finally:
        client.close()
    return manifest


def _client(settings: Sequence[Settings]) -> Raw:
    return MongoClient(settings[0].mongodb_uri, document_class=RawBSONDocument)


def _collections(database: Database[RawBSONDocument]) -> list[str]:
    return [name for name in database.list_collection_names() if name not in NOT_KEPT and "system." not in name]


def _dump(client: Raw, database: str, name: str, session: ClientSession, directory: Path) -> Mapping[str, Any]:
    path = directory / database / f"{name}.bson.gz"
    path.parent.mkdir(exist_ok=True, mode=0o700)
    count = 0
    with gzip.open(_private(path), "wb", compresslevel=3) as file:
        for document in client[database][name].find({}, session=session, batch_size=BATCH):
            file.write(document.raw)
            count += 1
    return {"documents": count, "sha256": _digest(path)}


def _private(path: Path) -> Path:
    """A new file that nobody else reads: all that is known of people is in there."""
    path.touch(mode=0o600, exist_ok=False)
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(directory: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((directory / "manifest.json").read_text())
    except FileNotFoundError:
        raise CannotRestore(f"{directory} holds no whole backup: its manifest.json is missing") from None
    for database, collections in manifest["databases"].items():
        for name, told in collections.items():
            path = directory / database / f"{name}.bson.gz"
            if not path.exists() or _digest(path) != told["sha256"]:
                raise CannotRestore(f"{path} is missing or damaged")
    return manifest


def _targets(manifest: Mapping[str, Any], settings: Sequence[Settings]) -> dict[str, str]:
    """Which saved database goes where."""
    targets = {}
    for saved in manifest["databases"]:
        found = [each.database for each in settings if each.database == saved or f"_{each.service}" in saved]
        if len(found) != 1:
            raise CannotRestore(f"whose database {saved} is can't be told")
        targets[saved] = found[0]
    return targets


def _fill(database: Database[RawBSONDocument], name: str, path: Path, expected: int) -> None:
    collection = database.get_collection(name, write_concern=WriteConcern(w="majority", j=True))
    count = 0
    with gzip.open(path, "rb") as file:
        for some in _batches(file):
            collection.insert_many(some, ordered=False)
            count += len(some)
    if count != expected:
        raise CannotRestore(f"{path} held {counted(count, 'document')} instead of {expected}")


def _batches(file: Any) -> Iterator[list[Any]]:
    some: list[Any] = []
    for document in decode_file_iter(file):
        some.append(document)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.operations.backup", description=__doc__)
    parser.add_argument("command", choices=("save", "load"))
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    try:
        settings = [Settings.from_env(service) for service in PORTS]
        manifest = {"save": save, "load": load}[options.command](settings, options.directory)
    except (SettingsError, CannotRestore, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 1
    for database, collections in manifest["databases"].items():
        count = sum(each["documents"] for each in collections.values())
        print(f"{database}: {counted(count, 'document')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
