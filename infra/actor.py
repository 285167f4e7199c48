"""Who does something: the caller of a request, or the system itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """sub: employee id or a system's name. roles: what the token says. unit: code, for officers and leaders."""

    sub: str
    roles: frozenset[str] = field(default_factory=frozenset)
    unit: str | None = None

    def has(self, *roles: str) -> bool:
        """Whether the actor has at least one of the roles."""
        return not self.roles.isdisjoint(roles)


def system_actor(service: str) -> Actor:
    """The service acting by itself, in answer to an event or a timer."""
    return Actor(f"system:{service}")
