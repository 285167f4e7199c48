"""What this service publishes: how its mails fared, in ids and codes only."""

from collections.abc import Mapping
from typing import Any

from infra.clock import to_wire
from infra.messaging.asyncapi import Published
from infra.problems import Text
from infra.web.fields import Body, Instant, OneOf, String, UuidStr, opt
from services.notifications.domain import KINDS, Delivery, Preferences

TOPIC = "notifications.events"
CONSUMED = ("enrollment.events", "enrollment.people", "sessions.events")


class DeliveryDataSchema(Body):
    """One mail to one person, as it stands."""

    id = UuidStr(required=True)
    employee_id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    channel = OneOf("mail", required=True)
    state = OneOf("waiting", "sent", "failed", "withdrawn", required=True)
    rule = String(required=True)
    event_id = UuidStr(required=True)
    about_id = UuidStr(required=True)
    at = Instant(required=True)
    sent_at = opt(Instant())
    problem = opt(String())


class PreferencesDataSchema(Body):
    """Whose preferences changed; what they are is nobody else's business."""

    id = String(required=True)


def delivery_data(delivery: Delivery) -> Mapping[str, Any]:
    """The whole delivery."""
    return {
        "id": delivery.id,
        "employee_id": delivery.employee_id,
        "kind": delivery.kind,
        "channel": delivery.channel,
        "state": delivery.state,
        "rule": delivery.rule,
        "event_id": delivery.event_id,
        "about_id": delivery.about_id,
        "at": to_wire(delivery.at),
        "sent_at": to_wire(delivery.sent_at) if delivery.sent_at else None,
        "problem": delivery.problem,
    }


def preferences_data(preferences: Preferences) -> Mapping[str, Any]:
    """The id alone."""
    return {"id": preferences.id}


_DELIVERY = DeliveryDataSchema()

PUBLISHED = (
    Published("delivery.queued", TOPIC, _DELIVERY, Text("Surel menunggu dikirim.", "A mail waits to be sent.")),
    Published(
        "delivery.sent",
        TOPIC,
        _DELIVERY,
        Text("Surel diterima peladen surel.", "The mail server has taken the mail."),
    ),
    Published(
        "delivery.failed",
        TOPIC,
        _DELIVERY,
        Text("Surel tidak dapat dikirim.", "The mail can't be delivered."),
    ),
    Published(
        "delivery.withdrawn",
        TOPIC,
        _DELIVERY,
        Text("Surel tidak perlu dikirim lagi.", "The mail need not be sent any more."),
    ),
    Published(
        "delivery.retried",
        TOPIC,
        _DELIVERY,
        Text("Surel yang gagal dicoba lagi.", "A mail that failed is tried again."),
    ),
    Published(
        "preferences.changed",
        TOPIC,
        PreferencesDataSchema(),
        Text("Seseorang mengubah preferensinya.", "Somebody changed their preferences."),
    ),
)
