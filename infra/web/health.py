"""Is it alive, is it ready, what does it count: the same answers for APIs and workers."""

import logging
import threading
from collections.abc import Callable, Mapping

import flask
from flask import Flask, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.serving import WSGIRequestHandler, make_server

from infra.telemetry.metrics import exposition
from infra.web.auth import public

log = logging.getLogger(__name__)

Check = Callable[[], object]


def blueprint(service: str, live: Callable[[], bool], ready: Mapping[str, Check]) -> flask.Blueprint:
    """`/livez`, `/readyz`, `/metrics`. A ready check raises or gives False when what it names can't be used."""
    health = flask.Blueprint("health", __name__)

    @health.get("/livez")
    @public
    def livez() -> tuple[Response, int]:
        alive = live()
        return jsonify(service=service, live=alive), 200 if alive else 503

    @health.get("/readyz")
    @public
    def readyz() -> tuple[Response, int]:
        checks = {name: _passes(name, check) for name, check in ready.items()}
        good = all(checks.values())
        return jsonify(service=service, ready=good, checks=checks), 200 if good else 503

    @health.get("/metrics")
    @public
    def metrics() -> Response:
        return Response(exposition(), content_type=CONTENT_TYPE_LATEST)

    return health


def _passes(name: str, check: Check) -> bool:
    try:
        return check() is not False
    except Exception as fault:  # noqa: BLE001 - whatever it is, it isn't ready
        log.warning("not ready: %s (%s)", name, type(fault).__name__)
        return False


def serve_health(
    port: int, service: str, live: Callable[[], bool], ready: Mapping[str, Check], host: str = "127.0.0.1"
) -> Callable[[], None]:
    """Serves a worker's health in a thread of its own; the function returned stops it."""
    app = Flask(service, static_folder=None)
    app.register_blueprint(blueprint(service, live, ready))
    server = make_server(host, port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    return stop


class _Quiet(WSGIRequestHandler):
    """Health is asked for every few seconds: not worth a line each."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs nothing."""
