"""Numbers in what people read of commands."""


def counted(count: int, noun: str) -> str:
    """So many of them: `1 document`, `2 documents`. noun: in the singular, of those that take an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
