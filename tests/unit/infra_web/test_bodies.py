"""The quick way through a body and marshmallow's own say the same of every body."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from infra.problems import Text
from infra.web.fields import Body, Integer, String, opt, wrong
from tests.unit.infra_web.sample import ActionIn, ThingIn, ThingOut


class Odd(Body):
    q = String(data_key="given", attribute="inside")
    plain = fields.Float()
    label = fields.List(opt(Integer(least=1)), validate=validate.Length(max=2))
    valid = opt(fields.Nested(ActionIn()))
    many = fields.Nested(ActionIn(), many=True)
    made = String(dump_only=True)
    fresh = fields.List(String(), load_default=list)


class Hooked(Body):
    least = Integer(required=True)
    most = Integer(required=True)

    @validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["least"] > data["most"]:
            raise wrong(Text("Terbalik.", "The wrong way round."))


NEAR: list[Any] = [
    None,
    True,
    0,
    1,
    30,
    5.5,
    "",
    "x",
    "held",
    "2026-05-16",
    "2016-05-16T00:00:00Z",
    [],
    [1, None],
    [0],
    {},
]
VALUES: st.SearchStrategy[Any] = st.sampled_from(NEAR)
ACTION = st.fixed_dictionaries({}, optional={"text": VALUES, "done": VALUES, "due_on": VALUES, "x": VALUES})
BODY = st.fixed_dictionaries(
    {},
    optional={
        "name": VALUES | st.just("x"),
        "unit": VALUES | st.just("u"),
        "status": VALUES | st.just("held"),
        "minutes": VALUES | st.just(30),
        "level": VALUES,
        "started_at": VALUES,
        "actions": VALUES | st.lists(ACTION, max_size=2),
        "given": VALUES,
        "plain": VALUES,
        "label": VALUES,
        "valid": VALUES | ACTION,
        "many": VALUES | st.lists(ACTION, max_size=2),
        "made": VALUES,
    },
)


def outcome(load: Any, data: object) -> object:
    try:
        return load(data)
    except ValidationError as error:
        return error.messages


@settings(max_examples=150)
@given(st.sampled_from([ThingIn, Odd, ActionIn, Hooked]), BODY | VALUES)
def test_both_ways_agree(schema: type[Body], data: object) -> None:
    """The same content, or the same faults."""
    if isinstance(data, dict):
        data = {key: value for key, value in data.items() if key in schema().fields or key == "given" or not value}
    made = schema()
    assert outcome(made.load, data) == outcome(lambda given: Schema.load(made, given), data)


GOOD = {"name": "x", "unit": "u", "status": "held", "minutes": 30, "actions": [{"text": "a", "done": True}]}


def test_a_good_body_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without marshmallow's loop; hooks keep a schema on the other way."""
    monkeypatch.setattr(Schema, "load", None)
    loaded = ThingIn().load(GOOD)
    assert loaded["actions"] == [{"text": "a", "due_on": None, "done": True, "effective_at": None}]
    assert not Hooked().quick
    with pytest.raises(TypeError):
        Hooked().load({"least": 1, "most": 2})


INSIDE = VALUES | st.sampled_from([datetime(2026, 5, 16, 1, tzinfo=UTC), date(2026, 5, 16)])
VIEW = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("name", "unit", "status", "minutes", "level", "started_at", "inside", "made"), INSIDE),
        "id": INSIDE,
        "plain": st.none() | st.floats(allow_nan=False),
        "actions": st.none() | st.lists(st.fixed_dictionaries({}, optional={"text": INSIDE, "due_on": INSIDE})),
        "label": st.none() | st.lists(st.none() | st.integers()),
        "valid": st.none() | st.fixed_dictionaries({}, optional={"text": INSIDE, "done": INSIDE}),
        "unknown": INSIDE,
    },
)


def written(dump: Any, data: object) -> object:
    try:
        return dump(data)
    except (ValueError, TypeError, AttributeError) as error:
        return type(error)


@settings(max_examples=150)
@given(st.sampled_from([ThingOut, Odd, ActionIn, Hooked]), VIEW)
def test_both_ways_out_agree(schema: type[Body], view: dict[str, Any]) -> None:
    """The same body goes out, whatever the view holds."""
    made = schema()
    assert written(made.dump, view) == written(lambda given: Schema.dump(made, given), view)


def test_a_view_goes_the_quick_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without marshmallow's loop; nothing that the schema doesn't know gets out."""
    monkeypatch.setattr(Schema, "dump", None)
    view = {"name": "x", "minutes": 30, "secret": "s", "actions": [{"text": "a", "done": True, "secret": "s"}]}
    assert ThingOut().dump(view) == {
        "name": "x",
        "minutes": 30,
        "level": None,
        "started_at": None,
        "actions": [{"text": "a", "due_on": None, "done": True}],
    }


def test_defaults_are_not_shared() -> None:
    """A list that is made for a missing field is a fresh one."""
    schema = Odd()
    schema.load({})["fresh"].append("x")
    assert schema.load({})["fresh"] == []
