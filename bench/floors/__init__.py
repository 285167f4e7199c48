"""Floors: the least that anybody would have to do, written as real programs, and served or run as ours are."""
