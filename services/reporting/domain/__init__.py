"""The rules of the figures: pure, without database, clock or web.

Days are strings `YYYY-MM-DD` of Asia/Jakarta: they sort as they read and are stored as they are.
"""
