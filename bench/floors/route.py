"""The bare route: Flask on the server of ours, which inserts a document like ours and does nothing else.

It reads no body, checks no token and no rule. `plain` has no index but that of ids; `indexed` has those of ours.
"""

import os
import uuid
from typing import Any

from bson import Timestamp
from flask import Flask

from infra.settings import Settings
from infra.storage.mongo import Document, connect
from infra.web.server import serve

SERVICE = "floor"
SESSIONS = 100


def like(template: Document, id_: str) -> Document:
    """A document of the same fields and sizes, with an id and slots of its own."""
    own = uuid.UUID(id_).bytes
    slots = [own + number.to_bytes(4, "big") for number in range(len(template["slots"]))]
    return {**template, "_id": id_, "slots": slots, "changed": Timestamp(0, 0)}


def from_env() -> Flask:
    """The app as the server starts it; `template` in its database holds the document."""
    database = connect(Settings.from_env(SERVICE, os.environ))
    template: Document = database["template"].find_one() or {}
    app = Flask(__name__)

    @app.put("/<collection>/<id_>")
    def put(collection: str, id_: str) -> Any:
        database[collection].insert_one(like(template, id_))
        return "", 201

    @app.post("/sync")
    def sync() -> Any:
        database["plain"].insert_many([like(template, str(uuid.uuid4())) for _ in range(SESSIONS)])
        return "", 201

    return app


if __name__ == "__main__":
    serve("bench.floors.route:from_env", Settings.from_env(SERVICE))
