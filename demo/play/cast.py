"""Everybody who plays: callers by what they are in the story, and the book that they keep."""

from dataclasses import dataclass
from datetime import UTC, datetime

from demo.ledger import Ledger
from demo.play.callers import Caller, Services
from demo.show.stage import Stage
from demo.story.tell import Story

HR_PORTAL = "hr-portal"


@dataclass(frozen=True)
class Cast:
    """The story, the services it is told to, the ledger it is written into, and the stage that shows it."""

    story: Story
    services: Services
    ledger: Ledger
    stage: Stage

    @property
    def hr(self) -> Caller:
        """The HR portal."""
        return self.services.caller(HR_PORTAL, "hr")

    def officer(self, nip: str, unit: str) -> Caller:
        """Somebody who acts for a unit."""
        return self.services.caller(self.id(nip), "officer", unit=unit)

    def employee(self, nip: str) -> Caller:
        """Somebody with the own phone."""
        return self.services.caller(self.id(nip), "employee")

    def id(self, nip: str) -> str:
        """The id that enrollment gave to this person."""
        return self.ledger.ids[nip]

    def pairing(self, key: str) -> str:
        """The id that enrollment gave to this pair of the story."""
        return self.ledger.pairings[key]


def wire(instant: datetime) -> str:
    """RFC 3339, UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
