"""The page for leaders: a public shell that asks for a token and then shows what that token may see."""

from pathlib import Path
from typing import Any

import flask
from flask import Response, jsonify, send_from_directory

from infra.clock import Clock, day_of
from infra.web.auth import current_actor, public
from services.reporting.access import sight
from services.reporting.domain.tree import SEPARATOR
from services.reporting.generations import Generations

FILES = Path(__file__).parent / "static"
CACHE_SECONDS = 300


def pages(generations: Generations, clock: Clock) -> flask.Blueprint:
    """The page, what it is made of, and the units that its reader may choose from."""
    blueprint = flask.Blueprint("dashboard", __name__)

    @blueprint.get("/dashboard")
    @public
    def page() -> Response:
        return send_from_directory(FILES, "index.html", max_age=0)

    @blueprint.get("/dashboard/<path:name>")
    @public
    def part(name: str) -> Response:
        return send_from_directory(FILES, name, max_age=CACHE_SECONDS)

    @blueprint.get("/dashboard/units")
    def units() -> Response:
        actor = current_actor()
        tree, today = generations.store().tree(), day_of(clock()).isoformat()
        top = actor.unit if actor.has("leader") and not actor.has("hr", "auditor", "kpi_reader") else None
        seen = sight(actor, top, tree, today)
        codes = [seen.scope.unit] if seen.outside else tree.codes(today, seen.scope.unit)
        return jsonify(items=[_choice(seen.scope.tree.path(code, today) or code, tree, today) for code in codes])

    return blueprint


def _choice(path: str, tree: Any, today: str) -> dict[str, Any]:
    code = path.rsplit(SEPARATOR, 1)[-1]
    state = tree.state(code, today)
    return {
        "code": code,
        "name": tree.name(code),
        "kind": state.kind if state else None,
        "depth": path.count(SEPARATOR),
    }
