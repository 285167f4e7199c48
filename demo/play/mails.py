"""What people got in the meantime: mails and entries in their inbox."""

import time
from collections import Counter
from dataclasses import dataclass

from demo.play.cast import Cast

_PATIENCE_SECONDS = 60.0
_QUIET_POLLS = 3


@dataclass(frozen=True)
class Post:
    """Deliveries by (kind, state), and what waits in one person's inbox."""

    deliveries: Counter[tuple[str, str]]
    reader: str
    unread: int

    def by_state(self, state: str) -> int:
        """How many mails are in that state: `waiting`, `sent`, `failed` or `withdrawn`."""
        return sum(count for (_, each), count in self.deliveries.items() if each == state)


def read_post(cast: Cast) -> Post:
    """Waits a little for mails that are still on their way; counts them, and looks into one inbox."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    deliveries: Counter[tuple[str, str]] = Counter()
    quiet = 0
    with cast.stage.step("People get their mails") as step:
        while quiet < _QUIET_POLLS and time.monotonic() < give_up:
            now = _count(cast)
            quiet = quiet + 1 if now == deliveries and now else 0
            deliveries = now
            time.sleep(0.4)
        reader = cast.story.office.learners[0]
        unread = sum(1 for _ in cast.employee(reader.nip).pages("notifications", "/inbox", unread="true"))
        post = Post(deliveries, reader.name, unread)
        step.say(f"{post.by_state('sent')} sent; {reader.name} has {unread} unread entries in the inbox")
    return post


def _count(cast: Cast) -> Counter[tuple[str, str]]:
    items = cast.hr.pages("notifications", "/deliveries")
    return Counter((item["kind"], item["state"]) for item in items if item["channel"] == "mail")
