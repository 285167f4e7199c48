"""Inbox, preferences and deliveries over HTTP, and who may see them."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from infra.messaging.envelope import derived_id
from services.notifications.domain import KINDS
from tests.component.notifications.conftest import Hands, Service
from tests.conftest import Tokens
from tests.support import Answer, Client
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import ENDORSER, GUIDE, LEARNER, NAMES, SESSION, STRANGER

WISHES: dict[str, Any] = {
    "language": "en",
    "channels": {"please_confirm": []},
    "quiet": {"from": "18:00", "to": "07:00"},
}
ROLES = ("hr", "officer", "employee", "leader", "kpi_reader", "auditor", "admin")


@pytest.fixture
def learner(api: Flask, tokens: Tokens) -> Client:
    return Client(api, tokens(LEARNER, "employee"))


@pytest.fixture
def hr(api: Flask, tokens: Tokens) -> Client:
    return Client(api, tokens(STRANGER, "hr"))


def ids(answer: Answer) -> list[str]:
    return [item["id"] for item in answer.expect(200).body["items"]]


# --- inbox


def test_an_inbox_shows_what_its_owner_was_told(service: Service, learner: Client) -> None:
    """In words, with what it is about; the shape is the contract's."""
    service.hear(*NAMES, told.session())
    (entry,) = learner.get("/v1/inbox").expect(200).body["items"]
    assert entry == {
        "id": entry["id"],
        "kind": "please_confirm",
        "title": "Mohon konfirmasi sesi mentoring dengan Oliva Situmorang",
        "text": entry["text"],
        "about": {"type": "session", "id": SESSION},
        "at": "2026-11-24T03:00:00Z",
        "read": False,
        "version": 1,
        "effective_at": "2026-11-24T03:00:00Z",
        "updated_at": "2026-11-24T03:00:00Z",
    }
    assert learner.get(f"/v1/inbox/{entry['id']}").expect(200).body == entry


def test_reading_is_remembered_and_can_be_repeated(service: Service, learner: Client) -> None:
    """The second time changes nothing."""
    service.hear(*NAMES, told.session(), told.pairing())
    first, second = ids(learner.get("/v1/inbox"))
    answers = [learner.post(f"/v1/inbox/{first}/read").expect(200) for _ in range(2)]
    assert [answer.body["read"] for answer in answers] == [True, True]
    assert [answer.version for answer in answers] == [2, 2]
    assert ids(learner.get("/v1/inbox?unread=true")) == [second]
    assert ids(learner.get("/v1/inbox?unread=false")) == [first]


def test_an_inbox_comes_in_pages_newest_first(service: Service, learner: Client, clock: Hands) -> None:
    """Each entry once, also those of the same moment."""
    times = [clock() - timedelta(hours=number // 2) for number in range(5)]
    service.hear(*(told.session(id_=derived_id("s", str(n)), time=time) for n, time in enumerate(times)))
    seen: list[tuple[str, str]] = []
    page: dict[str, Any] = {"next": None}
    while not seen or page["next"]:
        more = {"cursor": page["next"]} if page["next"] else {}
        page = learner.get("/v1/inbox", params={"limit": 2, **more}).expect(200).body
        seen += [(item["at"], item["id"]) for item in page["items"]]
    assert len(set(seen)) == 5
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)


def test_nobody_reads_anothers_inbox(service: Service, learner: Client, tokens: Tokens) -> None:
    """Neither a colleague nor HR: what is not one's own is not there."""
    service.hear(*NAMES, told.session())
    (entry,) = ids(learner.get("/v1/inbox"))
    for sub, roles in ((GUIDE, ["employee"]), (STRANGER, ["hr", "employee"])):
        other = learner.bearing(tokens(sub, roles))
        assert ids(other.get("/v1/inbox")) == []
        other.get(f"/v1/inbox/{entry}").expect(404)
        other.post(f"/v1/inbox/{entry}/read").expect(404)
    assert ids(learner.get("/v1/inbox?unread=true")) == [entry]


def test_an_erased_name_is_gone_from_inboxes(service: Service, learner: Client) -> None:
    """Texts are made when they are read."""
    service.hear(*NAMES, told.session(), told.erased(GUIDE))
    (entry,) = learner.get("/v1/inbox").expect(200).body["items"]
    assert "Oliva" not in entry["title"] + entry["text"]


@pytest.mark.parametrize("query", ["unread=yes", "limit=0", "cursor=abc", "kind=accepted"])
def test_a_query_that_is_not_understood_is_refused(learner: Client, query: str) -> None:
    """Rather than passed over."""
    answer = learner.get(f"/v1/inbox?{query}").expect(422)
    assert answer.body["errors"][0]["pointer"] == "?" + query.split("=", maxsplit=1)[0]


# --- preferences


def test_without_a_word_everything_comes_by_mail_at_any_hour_in_indonesian(learner: Client) -> None:
    """Version 0 says that these are the usual ones."""
    answer = learner.get("/v1/preferences").expect(200)
    assert answer.body == {
        "language": "id",
        "channels": {kind: ["mail"] for kind in KINDS},
        "quiet": {"from": "00:00", "to": "00:00"},
        "version": 0,
        "effective_at": None,
        "updated_at": None,
    }
    assert answer.version == 0


def test_preferences_are_set_and_changed_on_condition(service: Service, learner: Client) -> None:
    """Created without a version; then only by one who says what the change is based on."""
    created = learner.put("/v1/preferences", WISHES).expect(201)
    assert (created.version, created.headers["Location"]) == (1, "/v1/preferences")
    assert created.body["channels"]["please_confirm"] == []
    assert created.body["channels"]["mastered"] == ["mail"]
    for version in (None, 1, 7):
        assert learner.put("/v1/preferences", WISHES, version=version).expect(200).version == 1
    other = {**WISHES, "language": "id"}
    missing = learner.put("/v1/preferences", other).expect(428)
    assert missing.body["current"]["language"] == "en"
    stale = learner.put("/v1/preferences", other, version=3).expect(412)
    assert stale.body["current"]["version"] == 1
    assert learner.put("/v1/preferences", other, version=1).expect(200).version == 2
    assert learner.get("/v1/preferences").expect(200).body["language"] == "id"
    steps = learner.get("/v1/preferences/activity").expect(200).body["items"]
    assert [(step["who"], step["what"]) for step in steps] == [(LEARNER, "preferences.changed")] * 2


def test_the_first_preferences_may_be_based_on_the_usual_ones(learner: Client) -> None:
    """Version 0 was shown, so it may be named; another one was never shown."""
    learner.put("/v1/preferences", WISHES, version=2).expect(412)
    learner.put("/v1/preferences", WISHES, version=0).expect(201)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"language": "jv"}, "/language"),
        ({"channels": {"birthday": ["mail"]}}, "/channels/birthday"),
        ({"channels": {"mastered": ["pigeon"]}}, "/channels/mastered/0"),
        ({"channels": {"mastered": "mail"}}, "/channels/mastered"),
        ({"quiet": {"from": "24:00", "to": "07:00"}}, "/quiet/from"),
        ({"quiet": {"from": "18:00"}}, "/quiet/to"),
        ({"quiet": None}, "/quiet"),
        ({"nickname": "W"}, "/nickname"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(learner: Client, change: dict[str, Any], pointer: str) -> None:
    """With a pointer to what is wrong."""
    answer = learner.put("/v1/preferences", {**WISHES, **change}).expect(422)
    assert answer.body["errors"][0]["pointer"] == pointer


def test_the_inbox_follows_the_chosen_language(service: Service, learner: Client) -> None:
    """Old entries, too."""
    service.hear(*NAMES, told.session())
    learner.put("/v1/preferences", WISHES).expect(201)
    (entry,) = learner.get("/v1/inbox").expect(200).body["items"]
    assert entry["title"] == "Please confirm your mentoring session with Oliva Situmorang"


# --- deliveries


def test_hr_sees_how_mails_fared_and_tries_a_failed_one_again(service: Service, hr: Client) -> None:
    """The address was missing; now it is there."""
    service.hear(NAMES[0], told.person(LEARNER, "Warji Uyainah", None), *NAMES[2:], told.session())
    service.send_later()
    (failed,) = hr.get("/v1/deliveries?state=failed").expect(200).body["items"]
    assert failed == {
        **failed,
        "employee_id": LEARNER,
        "kind": "please_confirm",
        "channel": "mail",
        "rule": "please-confirm",
        "event_id": told.session()[0].id,
        "attempts": 0,
        "problem": "no-address",
        "sent_at": None,
        "version": 2,
    }
    service.hear(told.person(LEARNER, "Warji Uyainah", "warji@example.go.id", seq=2))
    again = hr.post(f"/v1/deliveries/{failed['id']}/retry").expect(200)
    assert (again.body["state"], again.body["problem"], again.version) == ("waiting", None, 3)
    assert hr.post(f"/v1/deliveries/{failed['id']}/retry").expect(200).version == 3
    service.send()
    sent = hr.get(f"/v1/deliveries/{failed['id']}").expect(200).body
    assert (sent["state"], sent["attempts"], sent["sent_at"]) == ("sent", 1, "2026-11-24T03:00:20Z")
    refused = hr.post(f"/v1/deliveries/{failed['id']}/retry").expect(409)
    assert refused.body["rule"] == "transition"
    steps = hr.get(f"/v1/deliveries/{failed['id']}/activity").expect(200).body["items"]
    assert [step["what"] for step in steps] == [
        "delivery.queued",
        "delivery.failed",
        "delivery.retried",
        "delivery.sent",
    ]
    assert steps[2]["who"] == STRANGER


def test_what_was_not_kept_is_not_found(hr: Client) -> None:
    """And what is no id neither."""
    hr.get(f"/v1/deliveries/{SESSION}").expect(404)
    hr.get(f"/v1/deliveries/{SESSION}/activity").expect(404)
    hr.post(f"/v1/deliveries/{SESSION}/retry").expect(404)
    hr.get("/v1/deliveries/42").expect(404)


def test_lists_leave_out_what_only_a_later_release_knows(service: Service, learner: Client, hr: Client) -> None:
    """A kind that this release can't tell of is not there, and the rest is."""
    service.hear(*NAMES, told.session(), told.pairing())
    places = ("/v1/inbox", learner), ("/v1/deliveries", hr)
    before = {path: ids(client.get(path)) for path, client in places}
    for each in ("entries", "deliveries"):
        service.store.database[each].update_one({"kind": "please_confirm"}, {"$set": {"kind": "please_decide"}})
    for path, client in places:
        left = ids(client.get(path))
        (gone,) = set(before[path]) - set(left)
        client.get(f"{path}/{gone}").expect(404)
    assert len(ids(hr.get("/v1/deliveries?state=waiting"))) == 2


# --- who may what

PATHS = (
    ("GET", "/v1/inbox", {"employee"}),
    ("GET", "/v1/inbox/{entry}", {"employee"}),
    ("POST", "/v1/inbox/{entry}/read", {"employee"}),
    ("GET", "/v1/preferences", {"employee"}),
    ("PUT", "/v1/preferences", {"employee"}),
    ("GET", "/v1/preferences/activity", {"employee"}),
    ("GET", "/v1/deliveries", {"hr", "admin", "auditor"}),
    ("GET", "/v1/deliveries/{delivery}", {"hr", "admin", "auditor"}),
    ("GET", "/v1/deliveries/{delivery}/activity", {"hr", "admin", "auditor"}),
    ("POST", "/v1/deliveries/{delivery}/retry", {"hr", "admin"}),
)


@pytest.mark.parametrize(("method", "path", "allowed"), PATHS)
def test_each_path_with_each_role(
    service: Service, api: Flask, tokens: Tokens, method: str, path: str, allowed: set[str]
) -> None:
    """Who may, may; everybody else is told 403, and who brings no token 401."""
    service.hear(*NAMES, told.endorsement())
    entry = service.store.entries.find_one({})
    delivery = service.store.deliveries.find({})[0]
    assert entry is not None
    place = path.format(entry=entry["_id"], delivery=delivery.state.id)
    body = WISHES if method == "PUT" else None
    for role in ROLES:
        answer = Client(api, tokens(ENDORSER, role)).request(method, place, body)
        if role in allowed:
            answer.expect(200, 201)
        else:
            assert answer.expect(403).body["rule"] == "forbidden"
    Client(api).request(method, place, body).expect(401)


def test_all_paths_are_looked_at(api: Flask) -> None:
    """A new path must be entered in the table above."""
    served = {
        (method, rule.rule)
        for rule in api.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert len(served) == len(PATHS)
