"""The peer: the same `PUT` as a good FastAPI service would have it, with a transactional outbox.

pydantic checks the body, the token is checked by PyJWT and remembered like ours, asyncio waits for an async
PyMongo, and one transaction writes the session (with the same unique slots against overlaps) and its event into
an outbox. It has no metrics, no access log, no conditional change and one language, which is in its favour.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import jwt
import uvicorn
from bson.codec_options import CodecOptions
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from infra.settings import Settings

Document = dict[str, Any]
SLOT_SECONDS = 300
REMEMBERED_SECONDS = 30.0
MAJORITY = WriteConcern(w="majority", j=True)


class Action(BaseModel):
    """Something agreed on."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(min_length=1, max_length=500)
    due_on: Annotated[date | None, Field(strict=False)] = None
    done: bool


class SessionIn(BaseModel):
    """What the guide writes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    pairing_id: Annotated[uuid.UUID, Field(strict=False)]
    status: Literal["planned", "held"]
    started_at: Annotated[AwareDatetime, Field(strict=False)]
    minutes: int = Field(ge=5, le=480)
    place: Literal["in_person", "online", "on_the_job"]
    summary: str | None = Field(default=None, max_length=4000)
    private_note: str | None = Field(default=None, max_length=4000)
    assessed_level: int | None = Field(default=None, ge=0, le=4)
    actions: list[Action] | None = Field(default=None, max_length=50)


class SessionOut(SessionIn):
    """The resource."""

    model_config = ConfigDict(extra="forbid", strict=False)

    id: str
    guide_id: str
    learner_id: str
    kind: str
    competency: str
    version: int
    effective_at: datetime
    updated_at: datetime


class Tokens:
    """Checks tokens by the keys of a file; good ones are remembered for half a minute."""

    def __init__(self, settings: Settings) -> None:
        keys = json.loads(Path(settings.jwks).read_text())["keys"]
        self._keys = {key["kid"]: jwt.PyJWK(key) for key in keys}
        self._settings = settings
        self._known: dict[str, tuple[float, Document]] = {}

    def __call__(self, authorization: Annotated[str, Header()]) -> Document:
        """The claims; as FastAPI's dependency."""
        token = authorization.removeprefix("Bearer ")
        known = self._known.get(token)
        if known and known[0] > time.time():
            return known[1]
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims: Document = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=self._settings.jwt_issuer,
                audience=self._settings.jwt_audience,
            )
        except (jwt.InvalidTokenError, KeyError) as error:
            raise HTTPException(401) from error
        self._known[token] = (time.time() + REMEMBERED_SECONDS, claims)
        return claims


def build() -> FastAPI:
    """The app, by the environment of a service called `peer`."""
    settings = Settings.from_env("peer", os.environ)
    tokens = Tokens(settings)
    client: AsyncMongoClient[Document] = AsyncMongoClient(settings.mongodb_uri, maxPoolSize=64)
    options: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)
    database = client.get_database(settings.database, codec_options=options, write_concern=MAJORITY)
    sessions, outbox, pairings = database["sessions"], database["outbox"], database["pairings"]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        held = {"slots": {"$type": "binData"}}
        await sessions.create_index("slots", unique=True, partialFilterExpression=held)
        await sessions.create_index([("people", 1), ("started_at", 1)])
        await outbox.create_index("at")
        yield
        await client.close()

    app = FastAPI(lifespan=lifespan)

    @app.put("/v1/sessions/{session_id}", status_code=201)
    async def put(
        session_id: uuid.UUID, body: SessionIn, claims: Annotated[Document, Depends(tokens)], response: Response
    ) -> SessionOut:
        now = datetime.now(UTC)
        pairing = await pairings.find_one({"_id": str(body.pairing_id)})
        _check(body, pairing, claims, now)
        document = _document(str(session_id), body, pairing or {}, now)
        event = _event(document, now)

        async def store(session: AsyncClientSession) -> None:
            await sessions.insert_one(document, session=session)
            await outbox.insert_one(event, session=session)

        try:
            async with client.start_session() as session:
                await session.with_transaction(store, read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
        except DuplicateKeyError as error:
            raise HTTPException(409, "session-overlap") from error
        response.headers["ETag"] = '"1"'
        shown = {**body.model_dump(), **document, "id": document["_id"], "pairing_id": body.pairing_id}
        return SessionOut.model_validate({name: shown[name] for name in SessionOut.model_fields})

    return app


def _check(body: SessionIn, pairing: Document | None, claims: Document, now: datetime) -> None:
    if pairing is None:
        raise HTTPException(409, "pairing-unknown")
    if "employee" not in claims["roles"] or claims["sub"] != pairing["guide_id"]:
        raise HTTPException(409, "not-the-guide")
    if body.status == "held" and body.started_at > now + timedelta(minutes=5):
        raise HTTPException(409, "session-in-future")
    steps = [step for step in pairing["history"] if step["at"] <= body.started_at]
    if not steps or steps[-1]["state"] != "active":
        raise HTTPException(409, "pairing-not-active")


def _document(id_: str, body: SessionIn, pairing: Document, now: datetime) -> Document:
    people = [pairing["guide_id"], pairing["learner_id"]]
    content = body.model_dump(mode="json") | {"started_at": body.started_at}
    return {
        "_id": id_,
        **content,
        "guide_id": people[0],
        "learner_id": people[1],
        "kind": pairing["kind"],
        "competency": pairing["competency"],
        "people": people,
        "slots": _slots(body, people),
        "version": 1,
        "effective_at": now,
        "updated_at": now,
    }


def _slots(body: SessionIn, people: list[str]) -> list[bytes]:
    first = int(body.started_at.timestamp()) // SLOT_SECONDS
    end = int(body.started_at.timestamp() + body.minutes * 60) // SLOT_SECONDS
    numbers = [number.to_bytes(4, "big") for number in range(first, end)]
    return [uuid.UUID(person).bytes + number for person in people for number in numbers]


def _event(document: Document, now: datetime) -> Document:
    public = ("_id", "pairing_id", "guide_id", "learner_id", "kind", "competency", "status", "minutes")
    data = {name: document[name] for name in public} | {"started_at": document["started_at"].isoformat()}
    return {
        "_id": str(uuid.uuid4()),
        "type": "session.held",
        "key": document["learner_id"],
        "at": now,
        "body": json.dumps(data).encode(),
    }


def main() -> int:
    """Serves it in as many processes as ours has, on uvloop and httptools, without an access log."""
    settings = Settings.from_env("peer", os.environ)
    uvicorn.run(
        "bench.floors.peer:build",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.processes,
        loop="uvloop",
        http="httptools",
        access_log=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
