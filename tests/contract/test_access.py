"""Who gets what: every caller against every operation of the OpenAPI documents, kept in docs/contract/access.md.

The operations come from the documents, so none can be forgotten; what each caller got is compared with the table
in the repository. `make access` writes it anew, and the difference is seen in review.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra import contract
from infra.settings import PORTS
from tests.conftest import SettingsFor, Tokens
from tests.contract.filled import MULTIPART, Filled, Records, fill
from tests.support import Answer, Client

TABLE = contract.FOLDER / "access.md"
WRITE = "BINA_WRITE_ACCESS" in os.environ
METHODS = ("get", "put", "post", "delete", "patch")
CALLERS = (
    "no token",
    "bad token",
    "no role",
    "hr",
    "officer",
    "officer elsewhere",
    "leader",
    "leader elsewhere",
    "auditor",
    "kpi_reader",
    "admin",
    "employee",
    "learner",
    "guide",
    "supervisor",
    "head",
)
FILE = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="unit.csv"\r\n'
    b"Content-Type: text/csv\r\n\r\nkode;nama;jenis\n\r\n--x--\r\n"
)
HEAD = """# Who gets what

Written by `make access` from what the running services answer; `tests/contract/test_access.py` fails when that is
not so any more. Every path and method of the four OpenAPI documents is here.

Each row is one operation on one and the same record, which is somebody's own for some callers and a stranger's for
the others. The callers:

| caller | who that is |
|---|---|
| no token, bad token | nobody, and a token that nobody signed |
| no role | a good token without any role |
| hr, auditor, kpi_reader, admin | somebody with this role alone, and no part in the record |
| officer, leader | of the unit that the record belongs to |
| officer elsewhere, leader elsewhere | of a unit that has nothing to do with it |
| employee | any employee: a stranger to the record |
| learner | whom the record is about: in the pairing, the session, the batch; owner of the inbox |
| guide | of that learner, in that pairing and session |
| supervisor, head | of the learner, and the supervisor's own supervisor |

How to read it: **401** who are you, **403** you may not, **404** there is no such thing as far as you know; all
else means that the caller has the right: **2xx** done, **409** a rule said no, **412**, **422**, **428** the
request was not good enough. Where several records are sent at once, what each of them got stands behind: with
**200: 404, 200** the first was refused and the second done. A list that is 200 holds only what the caller may see
(tests/component/ looks inside).
"""


@pytest.mark.timeout(600)
def test_the_table_in_the_repository_is_what_the_services_answer(
    settings_for: SettingsFor, tokens: Tokens
) -> None:
    """A right that is won or lost is seen in review."""
    text = HEAD + "".join(_section(service, settings_for, tokens) for service in PORTS)
    if WRITE:
        TABLE.write_text(text)
    assert TABLE.read_text() == text, "docs/contract/access.md is not what the services answer: make access"


@pytest.mark.parametrize("service", PORTS)
def test_the_table_keeps_the_programmes_rules(service: str) -> None:
    """Whoever wrote the table: nobody comes in without a token, and no role sees what is not its business."""
    for operation, got in _rows(TABLE, service):
        is_open = operation.endswith("(open)")
        assert {got["no token"], got["bad token"]} <= ({"404"} if is_open else {"401"}), operation
        assert not any(re.search(r"\b5", status) for status in got.values()), operation
        if not (is_open or operation == "GET /v1/me"):
            assert got["no role"] == "403", operation
        if operation.startswith(("PUT", "POST")) and not operation.endswith("/search"):
            assert got["auditor"] == got["kpi_reader"] == "403", operation
            assert got["leader"] == got["leader elsewhere"] == "403", operation
        if "{" in operation and not is_open and service in ("sessions", "notifications"):
            assert got["employee"] in ("403", "404"), operation


def test_a_queue_gets_for_each_record_what_the_record_alone_gets() -> None:
    """Nobody reaches somebody else's session by sending it among others."""
    rows = dict(_rows(TABLE, "sessions"))
    alone = rows["PUT /v1/sessions/{session_id}"], rows["POST /v1/sessions/{session_id}/transitions"]
    for caller, status in rows["POST /v1/sync"].items():
        put, moved = (row[caller] for row in alone)
        assert status == (f"200: {put}, {moved}" if status.startswith("200") else put), caller


def _section(service: str, settings_for: SettingsFor, tokens: Tokens) -> str:
    """The table of one service."""
    with fill(settings_for(service), tokens) as filled:
        operations = list(_operations(contract.openapi_of(service), filled.records().queries))
        columns = [_column(filled, tokens, caller, operations) for caller in CALLERS]
    lines = [f"\n## {service}\n", f"| operation | {' | '.join(CALLERS)} |", f"|---|{'---|' * len(CALLERS)}"]
    for number, (operation, is_open) in enumerate(operations):
        shown = f"`{operation}`{' (open)' if is_open else ''}"
        lines.append(f"| {shown} | {' | '.join(str(column[number]) for column in columns)} |")
    return "\n".join(lines) + "\n"


def _operations(document: Mapping[str, Any], queries: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, bool]]:
    """Each method and path, with each query that makes a difference, and whether it is open to all."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation, is_open = f"{method.upper()} {path}", not item[method].get("security")
                yield from ((operation + query, is_open) for query in queries.get(operation, ("",)))


def _column(filled: Filled, tokens: Tokens, caller: str, operations: list[tuple[str, bool]]) -> list[str]:
    """What one caller gets, on records that no other caller has touched."""
    records = filled.records()
    client = Client(filled.app, _token(filled, records, tokens, caller))
    return [_told(operation, _answer(client, records, operation)) for operation, _ in operations]


def _told(operation: str, answer: Answer) -> str:
    """The status, and behind it that of each record where several were sent."""
    body = answer.body if isinstance(answer.body, dict) and not operation.startswith("GET") else {}
    results = [each for each in body.get("results") or body.get("items") or () if "problem" in each]
    each_got = ", ".join(str(each["problem"]["status"] if each["problem"] else 200) for each in results)
    return f"{answer.status}: {each_got}" if each_got else str(answer.status)


def _token(filled: Filled, records: Records, tokens: Tokens, caller: str) -> str | None:
    role, _, elsewhere = caller.partition(" ")
    if caller == "no token":
        return None
    if caller == "bad token":
        head, claims, _ = tokens(str(uuid4()), "hr").split(".")
        return f"{head}.{claims}.{'A' * 86}"
    if caller == "no role":
        return tokens(str(uuid4()), [])
    if caller in records.people:
        return tokens(records.people[caller], "employee")
    unit = filled.elsewhere if elsewhere else filled.here
    return tokens(str(uuid4()), role, unit if role in ("officer", "leader") else None)


def _answer(client: Client, records: Records, operation: str) -> Answer:
    method, address = operation.split(" ")
    body = records.bodies.get(operation.partition("?")[0], {} if method in ("PUT", "POST") else None)
    address = records.at(address)
    if body == MULTIPART:
        return client.request(method, address, raw=FILE, content_type="multipart/form-data; boundary=x")
    return client.request(method, address, body)


def _rows(table: Path, service: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The rows of one service as they stand in the document."""
    section = table.read_text().split(f"## {service}\n")[1].split("\n## ")[0]
    for line in section.strip().splitlines()[2:]:
        operation, *statuses = [cell.strip() for cell in line.strip("|").split("|")]
        yield operation.replace("`", ""), dict(zip(CALLERS, statuses, strict=True))
