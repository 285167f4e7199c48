"""`/openapi.json` and the page that people read."""

import flask
from flask import Response

from infra.problems import Text
from infra.web.auth import public
from infra.web.openapi import Api


def blueprint(api: Api, title: Text) -> flask.Blueprint:
    """The two routes for this service's API."""
    pages = flask.Blueprint("docs", __name__)

    @pages.get("/openapi.json")
    @public
    def openapi_json() -> Response:
        return flask.jsonify(api.spec.to_dict())

    return pages
