"""Each path with each role, for records of one's own, of those one supervises, and of others."""

from uuid import uuid4

import pytest

from infra.web.converters import IdConverter
from tests.component.sessions.world import World, body
from tests.support import Answer

ROLES = ("hr", "officer", "employee", "leader", "kpi_reader", "auditor", "admin")

PATHS = {
    "put session": ("PUT", "/v1/sessions/{session}"),
    "read session": ("GET", "/v1/sessions/{session}"),
    "list sessions": ("GET", "/v1/sessions"),
    "move session": ("POST", "/v1/sessions/{session}/transitions"),
    "activity of session": ("GET", "/v1/sessions/{session}/activity"),
    "sync": ("POST", "/v1/sync"),
    "list endorsements": ("GET", "/v1/endorsements"),
    "read endorsement": ("GET", "/v1/endorsements/{endorsement}"),
    "decide endorsement": ("POST", "/v1/endorsements/{endorsement}/transitions"),
    "activity of endorsement": ("GET", "/v1/endorsements/{endorsement}/activity"),
    "progress": ("GET", "/v1/employees/{learner}/progress"),
    "credits": ("GET", "/v1/employees/{learner}/credits"),
    "me": ("GET", "/v1/me"),
    "my pairings": ("GET", "/v1/me/pairings"),
    "duties": ("GET", "/v1/duties"),
}
BODIES = {
    "move session": {"to": "cancelled"},
    "sync": {},
    "decide endorsement": {"to": "declined"},
}

# What a stranger gets by their only role; 403 for every role that is not named.
STRANGER = {
    "put session": {"employee": 404},
    "read session": {"hr": 200, "auditor": 200, "employee": 404},
    "list sessions": {"hr": 200, "auditor": 200, "employee": 200},
    "move session": {"hr": 409, "employee": 404},
    "activity of session": {"hr": 200, "auditor": 200, "employee": 404},
    "sync": {"employee": 200},
    "list endorsements": {"hr": 200, "auditor": 200, "employee": 200},
    "read endorsement": {"hr": 200, "auditor": 200, "employee": 404},
    "decide endorsement": {"hr": 200, "employee": 404},
    "activity of endorsement": {"hr": 200, "auditor": 200, "employee": 404},
    "progress": {"hr": 200, "auditor": 200},
    "credits": {"hr": 200, "auditor": 200},
    "me": dict.fromkeys(ROLES, 200),
    "my pairings": {"employee": 200},
    "duties": {"employee": 200},
}

# What employees get by the part they have in the record.
PARTS = {
    "put session": {"guide": 200, "learner": 409, "boss": 404, "head": 404},
    "read session": {"guide": 200, "learner": 200, "boss": 404, "head": 404},
    "move session": {"guide": 409, "learner": 409, "boss": 404, "head": 404},
    "activity of session": {"guide": 200, "learner": 200, "boss": 404, "head": 404},
    "read endorsement": {"guide": 200, "learner": 200, "boss": 200, "head": 404},
    "decide endorsement": {"guide": 403, "learner": 403, "boss": 200, "head": 404},
    "activity of endorsement": {"guide": 200, "learner": 200, "boss": 200, "head": 404},
    "progress": {"guide": 403, "learner": 200, "boss": 200, "head": 200},
    "credits": {"guide": 403, "learner": 200, "boss": 200, "head": 200},
}


@pytest.fixture
def records(world: World) -> dict[str, str]:
    """A confirmed session with a private note, feedback and an open endorsement."""
    head = world.employee()
    boss = world.employee(head)
    guide, learner = world.employee(), world.employee(boss)
    pairing = world.pairing(guide, learner)
    written = body(pairing, assessed_level=3, private_note="rahasia", summary="surat")
    session = str(uuid4())
    world.by(guide).put(f"/v1/sessions/{session}", written).expect(201)
    world.move(learner, session, "confirmed", feedback={"rating": 2, "comment": "terlalu cepat"}).expect(200)
    (request,) = world.by(boss).get("/v1/endorsements").body["items"]
    return {
        "head": head,
        "boss": boss,
        "guide": guide,
        "learner": learner,
        "pairing": pairing,
        "session": session,
        "endorsement": request["id"],
    }


def call(world: World, name: str, records: dict[str, str], sub: str, *roles: str) -> Answer:
    method, path = PATHS[name]
    sent = BODIES.get(name)
    if name == "put session":
        sent = body(records["pairing"], assessed_level=3, private_note="rahasia", summary="surat")
    return world.by(sub, *roles).request(method, path.format(**records), sent)


def test_every_path_is_in_the_table(world: World) -> None:
    served = set()
    for rule in world.app.url_map.iter_rules():
        if rule.rule.startswith("/v1/"):
            parts = [
                "{}" if isinstance(rule._converters.get(part), IdConverter) else part
                for is_variable, part in rule._trace
                if is_variable or part != "|"
            ]
            served |= {(method, "".join(parts)) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    tested = {
        (method, path.format(session="{}", endorsement="{}", learner="{}")) for method, path in PATHS.values()
    }
    assert served == tested


def test_strangers_get_what_their_role_allows(world: World, records: dict[str, str]) -> None:
    found = {
        name: {role: call(world, name, records, world.employee(), role).status for role in ROLES} for name in PATHS
    }
    assert found == {name: {role: STRANGER[name].get(role, 403) for role in ROLES} for name in PATHS}


def test_employees_get_what_their_part_allows(world: World, records: dict[str, str]) -> None:
    found = {
        name: {part: call(world, name, records, records[part]).status for part in PARTS[name]} for name in PARTS
    }
    assert found == PARTS


def test_nobody_gets_in_without_a_token(world: World, records: dict[str, str]) -> None:
    nobody = world.by(records["guide"]).bearing(None)
    for name, (method, path) in PATHS.items():
        assert nobody.request(method, path.format(**records), BODIES.get(name)).status == 401


def test_people_who_do_not_exist_are_403_but_for_those_who_see_all(world: World) -> None:
    nobody = {"learner": str(uuid4())}
    for name in ("progress", "credits"):
        assert call(world, name, nobody, world.employee()).status == 403
        assert call(world, name, nobody, world.employee(), "hr").status == 404


def test_the_private_note_is_the_guides_alone_and_feedback_the_learners_and_hrs(
    world: World, records: dict[str, str]
) -> None:
    auditor, hr = world.employee(), world.employee()
    seen = {}
    for who, roles in (
        (records["guide"], ("employee",)),
        (records["guide"], ("employee", "hr")),
        (records["learner"], ("employee",)),
        (hr, ("hr",)),
        (auditor, ("auditor",)),
    ):
        one = call(world, "read session", records, who, *roles).body
        path = f"/v1/sessions?pairing={records['pairing']}"
        (listed,) = world.by(who, *roles).get(path).expect(200).body["items"]
        assert one == listed
        seen[who, roles] = (one["private_note"], one["feedback"] and one["feedback"]["rating"])
    assert list(seen.values()) == [("rahasia", None), ("rahasia", None), (None, 2), (None, 2), (None, 2)]


def test_lists_hold_only_what_concerns_one(world: World, records: dict[str, str]) -> None:
    other = world.employee(), world.employee()
    world.confirmed(*other, world.pairing(*other))
    everything = call(world, "list sessions", records, world.employee(), "hr").body["items"]
    assert {records["guide"], other[0]} <= {one["guide_id"] for one in everything}
    for who in (records["guide"], records["learner"]):
        assert [one["id"] for one in call(world, "list sessions", records, who).body["items"]] == [
            records["session"]
        ]
    assert call(world, "list sessions", records, records["boss"]).body["items"] == []
    assert call(world, "list endorsements", records, records["head"]).body["items"] == []


def test_what_auditors_read_is_logged_without_personal_data(
    world: World, records: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bina.audit")
    auditor = world.employee()
    call(world, "read session", records, auditor, "auditor").expect(200)
    call(world, "credits", records, auditor, "auditor").expect(200)
    call(world, "credits", records, world.employee(), "hr").expect(200)
    entries = [
        (vars(entry)["who"], vars(entry)["what"], vars(entry)["ids"])
        for entry in caplog.records
        if entry.name == "bina.audit"
    ]
    assert entries == [
        (auditor, "session", [records["session"]]),
        (auditor, "credits", [records["learner"]]),
    ]
