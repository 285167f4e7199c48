"""What `make compose-demo` looks at in the system that it has started: claims of docs/security.md."""


class NotSo(Exception):
    """A claim does not hold; the message says what was seen instead."""
