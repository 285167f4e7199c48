"""What a request knows of its surroundings: the language of the answer and the clock of the app."""

from datetime import datetime
from typing import cast

from flask import current_app, has_app_context, has_request_context, request
from werkzeug.datastructures import LanguageAccept

from infra.clock import Clock, system_clock
from infra.problems import Language

CLOCK = "bina.clock"


def now() -> datetime:
    """The present by the clock that the app was built with; by the system's outside of an app."""
    if not has_app_context():
        return system_clock()
    clock = cast("Clock", current_app.extensions.get(CLOCK, system_clock))
    return clock()


def language() -> Language:
    """The language that the caller reads: `id` unless `Accept-Language` prefers `en`, of whatever region."""
    if not has_request_context():
        return "id"
    if "HTTP_ACCEPT_LANGUAGE" not in request.environ:
        return "id"
    # werkzeug takes `en` before `id-ID`, however little it is preferred: whole tags win over languages alone.
    accepted = LanguageAccept((tag.partition("-")[0], quality) for tag, quality in request.accept_languages)
    return "en" if accepted.best_match(("id", "en"), "id") == "en" else "id"
