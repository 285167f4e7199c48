"""What stops the local system from starting, said so that the reader knows what to do."""


class CannotStart(Exception):
    """The message is for a person at a terminal: what is wrong, and what to do about it."""
