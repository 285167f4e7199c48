"""What reporting answers, and to whom."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from infra.local.keys import DevelopmentKeys
from infra.settings import Settings
from infra.storage.mongo import connect
from infra.storage.paging import encode
from services.reporting.app import api
from services.reporting.generations import Generations
from services.reporting.projections import Projection
from tests.component.reporting.telling import settle, tell
from tests.conftest import Tokens
from tests.support import Client
from tests.unit.reporting.world import city, shuffled

NOW = datetime(2017, 5, 10, 3, 0, tzinfo=UTC)
As = Callable[..., Client]


@pytest.fixture(scope="module")
def small_city(mongodb_uri: str, development_keys: DevelopmentKeys, run_directory: Path) -> Iterator[Flask]:
    """The API over a small city; nothing in this module changes it."""
    environment = {
        "BINA_ENV": "development",
        "BINA_HOME": str(run_directory),
        "BINA_MONGODB_URI": mongodb_uri,
        "BINA_KAFKA_BOOTSTRAP": "nowhere:9092",
        "BINA_JWKS": str(development_keys.jwks),
        "BINA_REPORTING_DATABASE": f"bina_reporting_{uuid.uuid4().hex[:12]}",
    }
    settings = Settings.from_env("reporting", environment)
    database = connect(settings)
    projection = Projection(Generations(database).begin())
    tell(projection, shuffled(city(3, people=12, sessions=60), 1))
    settle(projection)
    yield api(settings, clock=lambda: NOW)
    database.client.drop_database(database.name)


@pytest.fixture
def caller(small_city: Flask, tokens: Tokens) -> As:
    """`caller("leader", "A1")`: the API as somebody with these roles sees it."""

    def make(roles: str | list[str] | None, unit: str | None = None) -> Client:
        return Client(small_city, tokens("11111111-1111-4111-8111-111111111111", roles, unit) if roles else None)

    return make


def by_id(rows: list[dict[str, Any]]) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(row["id"], row["part"]): row for row in rows}


def test_kpis_of_the_city_and_the_present_year_unless_told_otherwise(caller: As) -> None:
    """One row a part, with numerator, denominator and the value of the period before."""
    answer = caller("hr").get("/v1/kpis").expect(200).body
    rows = by_id(answer["items"])
    assert answer["next"] is None
    assert len(rows) == len(answer["items"]) == 18
    assert {(row["unit"], row["period"]) for row in answer["items"]} == {("C", "2017")}
    reach = rows["reach", None]
    assert reach["value"] == round(reach["numerator"] / reach["denominator"], 4)
    assert (
        reach["previous"] == by_id(caller("hr").get("/v1/kpis?period=2016").body["items"])["reach", None]["value"]
    )
    parts = [rows["sessions", part]["numerator"] for part in ("coaching", "mentoring")]
    assert rows["sessions", None]["value"] == sum(parts) > 0
    assert rows["hours", None]["denominator"] == 60
    assert rows["training_funnel", "nominated"]["denominator"] is None


def test_names_and_labels_in_the_callers_language(caller: As) -> None:
    """Codes stay; what people read is Indonesian unless English is preferred."""
    reach = [
        by_id(caller("hr").get("/v1/kpis", language=each).body["items"])["reach", None] for each in ("id", "en")
    ]
    assert [row["name"] for row in reach] == ["Jangkauan: pegawai yang dibimbing", "Reach: people guided"]
    series = caller("hr").get("/v1/kpis/sessions/series?from=2016-12&to=2017-01", language="en").body["items"]
    assert [(point["key"], point["label"]) for point in series] == [
        ("2016-12", "December 2016"),
        ("2017-01", "January 2017"),
    ]


def test_series_sum_up_to_the_whole_for_happenings(caller: As) -> None:
    """Months of a year give its sessions; a part is a part."""
    client = caller("hr")
    months = client.get("/v1/kpis/sessions/series?from=2016&to=2017").body["items"]
    years = client.get("/v1/kpis/sessions/series?grain=year&from=2016&to=2017").body["items"]
    assert len(months) == 24
    assert sum(point["value"] for point in months) == sum(point["value"] for point in years)
    coaching = client.get("/v1/kpis/sessions/series?grain=quarter&from=2016&to=2017&part=coaching").body["items"]
    assert 0 < sum(point["value"] for point in coaching) < sum(point["value"] for point in years)
    assert len(client.get("/v1/kpis/reach/series?grain=quarter").body["items"]) == 8


def test_lists_are_paged(caller: As) -> None:
    """`limit` and `cursor` walk through all rows once."""
    client = caller("hr")
    first = client.get("/v1/kpis?limit=10").body
    rest = client.get(f"/v1/kpis?limit=10&cursor={first['next']}").body
    assert len(first["items"]) == 10
    assert len(rest["items"]) == 8
    assert rest["next"] is None
    records = client.get("/v1/kpis/sessions/evidence?limit=1").body
    assert records["items"][0]["type"] == "session"
    client.get("/v1/kpis/reach/evidence?cursor=AAAA").expect(422)
    client.get(f"/v1/kpis/reach/evidence?cursor={records['next']}").expect(422)


@pytest.mark.parametrize("value", [0, None, datetime(2016, 5, 16, tzinfo=UTC)])
@pytest.mark.parametrize("figure", ["sessions", "reach", "jp_20_share", "unit_coverage", "gaps_open"])
def test_a_cursor_that_somebody_made_up_is_refused(caller: As, figure: str, value: object) -> None:
    """Of whatever length, with values that don't compare with those of the list."""
    for size in (1, 2, 3, 4):
        path = f"/v1/kpis/{figure}/evidence?period=2016&cursor={encode([value] * size)}"
        problem = caller("hr").get(path).expect(200, 422).body
        assert "items" not in problem or problem["items"] == []
    for path in ("/v1/kpis", "/v1/gaps"):
        caller("hr").get(f"{path}?cursor={encode(['x'])}").expect(422)


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/v1/kpis?period=2016-13", "?period"),
        ("/v1/kpis?period=0000", "?period"),
        ("/v1/kpis?until=2016", "?until"),
        ("/v1/kpis?limit=0", "?limit"),
        ("/v1/kpis/sessions/series?grain=week", "?grain"),
        ("/v1/kpis/sessions/series?from=2017&to=2016", "?from"),
        ("/v1/kpis/sessions/series?from=1900&to=2100", "?from"),
        ("/v1/kpis/sessions/series?from=1900", "?from"),
        ("/v1/kpis/training_funnel/evidence", "?part"),
        ("/v1/kpis/reach/evidence?part=coaching", "?part"),
        ("/v1/kpis/sessions/evidence?part=certified", "?part"),
    ],
)
def test_a_wrong_question_says_which_parameter(caller: As, path: str, pointer: str) -> None:
    """422 with a pointer to the query parameter."""
    problem = caller("hr").get(path).expect(422).body
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_unknown_units_and_figures_are_not_found(caller: As) -> None:
    """404 with the rule `unknown`."""
    for path in ("/v1/kpis?unit=NOPE", "/v1/kpis/nope/series", "/v1/kpis/nope/evidence", "/v1/gaps?unit=NOPE"):
        assert caller("hr").get(path).expect(404).body["rule"] == "unknown"


FIGURES = "/v1/kpis"
SERIES = "/v1/kpis/reach/series"
EVIDENCE = "/v1/kpis/reach/evidence"
GAPS = "/v1/gaps"
FRESHNESS = "/v1/freshness"
UNITS = "/dashboard/units"
PATHS = (FIGURES, SERIES, EVIDENCE, GAPS, FRESHNESS, UNITS)


@pytest.mark.parametrize(
    ("roles", "unit", "asked", "allowed"),
    [
        ("hr", None, "", PATHS),
        ("hr", None, "?unit=S1", PATHS),
        ("auditor", None, "", PATHS),
        ("leader", "C", "", PATHS),
        ("leader", "A1", "?unit=A1", (FIGURES, SERIES, EVIDENCE, GAPS)),
        ("leader", "D1", "?unit=A1", ()),
        ("leader", "A1", "", (FRESHNESS, UNITS)),
        ("leader", None, "?unit=A1", ()),
        ("kpi_reader", None, "", (FIGURES, SERIES, FRESHNESS, UNITS)),
        ("kpi_reader", None, "?unit=A1", ()),
        (["leader", "kpi_reader"], "A1", "", (FIGURES, SERIES, FRESHNESS, UNITS)),
        ("admin", None, "", (FRESHNESS,)),
        ("officer", "C", "", ()),
        ("employee", None, "", ()),
    ],
)
def test_who_may_see_what(
    caller: As, roles: str | list[str], unit: str | None, asked: str, allowed: tuple[str, ...]
) -> None:
    """Each role against each path: what is not allowed is 403."""
    client = caller(roles, unit)
    tried = [path for path in PATHS if not (asked and path in (FRESHNESS, UNITS))]
    answers = {path: client.get(path + asked).status for path in tried}
    assert answers == {path: 200 if path in allowed else 403 for path in tried}


def test_nobody_sees_anything_without_a_token(caller: As) -> None:
    """401 everywhere but the page's shell."""
    for path in PATHS:
        caller(None).get(path).expect(401)
    shell = caller(None).get("/dashboard").expect(200)
    assert "<html" in shell.body
    policy = shell.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_small_numbers_are_withheld_from_outside_only(caller: As) -> None:
    """A `kpi_reader` sees no figure of 1-4 people; HR sees the same figure whole."""
    hidden = 0
    for month in ("2016-11", "2016-12", "2017-01", "2017-02", "2017-03", "2017-04"):
        path = f"/v1/kpis?period={month}"
        inside, outside = (by_id(caller(role).get(path).body["items"]) for role in ("hr", "kpi_reader"))
        assert not any(row["withheld"] for row in inside.values())
        for key, row in outside.items():
            hidden += row["withheld"]
            if row["withheld"]:
                assert row["value"] is row["numerator"] is row["denominator"] is row["previous"] is None
            else:
                assert row["value"] == inside[key]["value"]
    assert hidden


def test_every_question_withholds_the_same(caller: As) -> None:
    """Alone, in a series of any stretch, or as the value before: one decision for each figure and month."""
    reader = caller("kpi_reader")
    months = ["2016-12", "2017-01", "2017-02", "2017-03", "2017-04"]
    rows = {month: by_id(reader.get(f"/v1/kpis?period={month}").body["items"]) for month in months}
    for kpi, part in rows[months[0]]:
        told = {month: rows[month][kpi, part] for month in months}
        for stretch in (months, months[1:3], months[2:3]):
            query = f"from={stretch[0]}&to={stretch[-1]}" + (f"&part={part}" if part else "")
            series = reader.get(f"/v1/kpis/{kpi}/series?{query}").body["items"]
            assert [point["withheld"] for point in series] == [told[month]["withheld"] for month in stretch]
        for before, month in pairwise(months):
            if not told[month]["withheld"]:
                assert told[month]["previous"] == told[before]["value"]
    for each in rows.values():
        reach, share, multiplier = (each[kpi, None]["withheld"] for kpi in ("reach", "jp_mean", "multiplier"))
        assert multiplier or not reach or share, "the people reached are told by another figure"
    assert any(row["withheld"] for each in rows.values() for row in each.values())


def test_gaps_show_zeros_and_what_was_missing_before(caller: As) -> None:
    """Every need in force; what is missing adds up to the figure."""
    items = caller("hr").get("/v1/gaps?period=2017&limit=200").body["items"]
    figures = by_id(caller("hr").get("/v1/kpis?period=2017").body["items"])
    assert {item["missing"] == max(0, item["needed"] - item["have"]) for item in items} == {True}
    assert sum(item["missing"] for item in items) == figures["gaps_open", None]["value"]
    assert sum(item["missing_before"] for item in items) >= 0
    below = caller("leader", "D1").get("/v1/gaps?unit=D1&period=2017").body["items"]
    assert {item["unit"] for item in below} < {item["unit"] for item in items}


def test_the_units_to_choose_from_are_those_that_one_may_see(caller: As) -> None:
    """The dashboard's list: own unit first, then what is below; outsiders the city alone."""
    assert [unit["code"] for unit in caller("kpi_reader").get(UNITS).body["items"]] == ["C"]
    mine = caller("leader", "D1").get(UNITS).body["items"]
    assert mine[0]["code"] == "D1"
    everybody = caller("hr").get(UNITS).body["items"]
    assert everybody[0] == {"code": "C", "name": "C", "kind": "city", "depth": 0}


def test_nothing_is_found_before_the_first_unit_came(settings: Settings, tokens: Tokens) -> None:
    """An empty system says 404 for figures, and that it has read nothing yet."""
    client = Client(api(settings, clock=lambda: NOW), tokens("x", "hr"))
    client.get("/v1/kpis").expect(404)
    sources = client.get("/v1/freshness").expect(200).body["items"]
    assert sources == [
        {"source": topic, "last_event_at": None, "behind_events": 0, "behind_seconds": 0}
        for topic in ("enrollment.events", "sessions.events")
    ]
