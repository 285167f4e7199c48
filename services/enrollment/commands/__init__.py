"""The use cases: each loads, decides by the rules of `domain`, and saves once."""
