"""What the phones were answered: the only source of the recount."""

import queue
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chaos.city import Pair
from demo.ledger import Ledger, MasteryFact, SessionFact
from infra.clock import from_wire


@dataclass
class Notebook:
    """Safe to use from all threads. What the services said last of each session is in the ledger.

    confirm: sessions whose learner has to answer. final: ids of those that assess the target level. refused: by
    rule. broken: promises that an answer broke, in words.
    """

    ledger: Ledger
    confirm: "queue.Queue[tuple[str, Pair]]" = field(default_factory=queue.Queue)
    final: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    repeated: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    _contents: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stored(self, pair: Pair, id_: str, sent: dict[str, Any], version: int, status: str) -> None:
        """The service has this content of the session, in this version and status.

        An answer to a repeat may tell the version to which the learner's word has brought it meanwhile, and come
        after the answer that the learner got.
        """
        with self._lock:
            if version < self._contents.get(id_, 0):
                return
            self._contents[id_] = version
            known = self.versions.get(id_, 0)
            self.versions[id_] = max(version, known)
            self.ledger.sessions[id_] = SessionFact(
                id=id_,
                pairing=pair.id,
                learner=pair.learner,
                kind=pair.kind,
                started_at=from_wire(sent["started_at"]),
                minutes=sent["minutes"],
                status=status if version > known else self.ledger.sessions[id_].status,
            )
        if status == "held" and version > known:
            self.confirm.put((id_, pair))

    def moved(self, id_: str, version: int, status: str) -> None:
        """The service has moved the session on."""
        with self._lock:
            if version > self.versions[id_]:
                self.versions[id_] = version
                self.ledger.sessions[id_].status = status

    def endorsed(self, endorsement: dict[str, Any]) -> None:
        """A supervisor has endorsed what this session has shown."""
        with self._lock:
            self.ledger.masteries.append(
                MasteryFact(
                    endorsement["id"],
                    endorsement["learner_id"],
                    endorsement["competency"],
                    endorsement["level"],
                    self.started_at(endorsement["session_id"]),
                )
            )

    def started_at(self, id_: str) -> datetime:
        """When the session began."""
        return self.ledger.sessions[id_].started_at

    def refuse(self, rule: str) -> None:
        """Something was refused, by this rule."""
        with self._lock:
            self.refused[rule] += 1

    def repeat(self) -> None:
        """Something was sent once more, and nothing came of it."""
        with self._lock:
            self.repeated += 1

    def blame(self, what: str) -> None:
        """A promise was broken."""
        with self._lock:
            self.broken.append(what)
