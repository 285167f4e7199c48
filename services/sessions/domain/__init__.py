"""The rules of sessions, credit and mastery: pure, no I/O, no clock."""
