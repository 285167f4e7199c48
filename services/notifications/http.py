"""Inbox, preferences and deliveries: thin."""

import logging
from collections.abc import Sequence
from typing import Any

from infra.actor import Actor
from infra.storage.mongo import Document
from infra.storage.paging import page
from infra.web.auth import require
from infra.web.blueprint import Blueprint
from infra.web.conditional import if_match, with_etag
from infra.web.paging import PageArgs, list_of, piece
from services.notifications import wording
from services.notifications.commands import Commands
from services.notifications.domain import Preferences
from services.notifications.schemas import (
    DeliveryOut,
    DeliveryQuery,
    EntryOut,
    InboxQuery,
    PreferencesIn,
    PreferencesOut,
    StepOut,
    delivery_shown,
    entry_shown,
    preferences_shown,
    usual_preferences,
)
from services.notifications.store import KNOWN, Store, read_entry

log = logging.getLogger(__name__)


def inbox(commands: Commands, store: Store) -> Blueprint:
    """What a person was told."""
    blp = Blueprint("inbox", __name__, url_prefix="/inbox", description="What you were told.")

    def shown(actor: Actor, documents: Sequence[Document]) -> list[dict[str, Any]]:
        entries = [read_entry(document) for document in documents]
        names = store.names_for(entries)
        language = store.preferences_of([actor.sub])[actor.sub].language
        return [
            entry_shown(entry, document, wording.message(entry, names, language))
            for entry, document in zip(entries, documents, strict=True)
        ]

    @blp.route("")
    @blp.arguments(InboxQuery(), location="query")
    @blp.response(200, list_of(EntryOut))
    def listing(query: dict[str, Any]) -> Any:
        """List your inbox, newest first; unread=true leaves out what you have read."""
        actor = require("employee")
        wanted: dict[str, Any] = {"employee_id": actor.sub, **KNOWN}
        if query["unread"] is not None:
            wanted["read"] = not query["unread"]
        documents, after = page(
            store.entries, wanted, sort=[("at", -1)], limit=query["limit"], cursor=query["cursor"]
        )
        return {"items": shown(actor, documents), "next": after}

    @blp.route("/<id:entry_id>")
    @blp.response(200, EntryOut())
    def one(entry_id: str) -> Any:
        """Read one entry of your inbox; this alone doesn't mark it as read."""
        actor = require("employee")
        document = commands.own_entry(actor, entry_id)
        # The text follows names and the preferred language, which are not the entry's.
        return with_etag(shown(actor, [dict(document)])[0], document["version"], cacheable=False)

    @blp.route("/<id:entry_id>/read", methods=["POST"])
    @blp.response(200, EntryOut())
    def read(entry_id: str) -> Any:
        """Mark one entry as read; doing so again changes nothing."""
        actor = require("employee")
        document = commands.read(actor, entry_id)
        return with_etag(shown(actor, [dict(document)])[0], document["version"])

    return blp


def preferences(commands: Commands, store: Store) -> Blueprint:
    """How a person wants to be told."""
    blp = Blueprint("preferences", __name__, url_prefix="/preferences", description="How you are told.")

    @blp.route("")
    @blp.response(200, PreferencesOut())
    def get() -> Any:
        """Read your preferences; version 0 when you never set any."""
        actor = require("employee")
        stored = store.preferences.get(actor.sub)
        if stored is None:
            return with_etag(usual_preferences(actor.sub), 0)
        return with_etag(preferences_shown(stored), stored.version)

    @blp.route("", methods=["PUT"])
    @blp.arguments(PreferencesIn())
    @blp.response(200, PreferencesOut())
    @blp.alt_response(201, PreferencesOut())
    def put(body: dict[str, Any]) -> Any:
        """Set your preferences."""
        actor = require("employee")
        wanted = Preferences(id=actor.sub, **body)
        stored, created = commands.set_preferences(actor, wanted, if_match())
        status, location = (201, "/v1/preferences") if created else (200, None)
        return with_etag(preferences_shown(stored), stored.version, status=status, location=location)

    @blp.route("/activity")
    @blp.arguments(PageArgs(), location="query")
    @blp.response(200, list_of(StepOut))
    def activity(query: dict[str, Any]) -> Any:
        """See when you changed your preferences."""
        return piece(store.preferences.activity(require("employee").sub), query)

    return blp


def deliveries(commands: Commands, store: Store) -> Blueprint:
    """How mails fared."""
    blp = Blueprint(
        "deliveries", __name__, url_prefix="/deliveries", description="How mails fared: ids and codes only."
    )

    @blp.route("")
    @blp.arguments(DeliveryQuery(), location="query")
    @blp.response(200, list_of(DeliveryOut))
    def listing(query: dict[str, Any]) -> Any:
        """List deliveries, newest first."""
        _reader()
        wanted = {"state": query["state"], **KNOWN} if query["state"] else KNOWN
        documents, after = page(
            store.deliveries.collection,
            wanted,
            sort=[("at", -1)],
            limit=query["limit"],
            cursor=query["cursor"],
        )
        return {"items": [delivery_shown(store.deliveries.read(each)) for each in documents], "next": after}

    @blp.route("/<id:delivery_id>")
    @blp.response(200, DeliveryOut())
    def one(delivery_id: str) -> Any:
        """Read one delivery."""
        _reader()
        stored = commands.delivery(delivery_id)
        return with_etag(delivery_shown(stored), stored.version, cacheable=False)

    @blp.route("/<id:delivery_id>/activity")
    @blp.arguments(PageArgs(), location="query")
    @blp.response(200, list_of(StepOut))
    def activity(query: dict[str, Any], delivery_id: str) -> Any:
        """See what became of a delivery, and who tried it again."""
        _reader()
        commands.delivery(delivery_id)
        return piece(store.deliveries.activity(delivery_id), query)

    @blp.route("/<id:delivery_id>/retry", methods=["POST"])
    @blp.response(200, DeliveryOut())
    def retry(delivery_id: str) -> Any:
        """Try a failed delivery again; one that waits is left as it is."""
        stored = commands.retry(require("hr", "admin"), delivery_id)
        return with_etag(delivery_shown(stored), stored.version, cacheable=False)

    return blp


def _reader() -> None:
    """Whoever may see deliveries; that an auditor looked is written down."""
    actor = require("hr", "admin", "auditor")
    if not actor.has("hr", "admin"):
        log.info("an auditor reads deliveries", extra={"actor": actor.sub})
