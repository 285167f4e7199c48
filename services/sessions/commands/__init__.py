"""The use cases: load, decide by the rules, save once."""
