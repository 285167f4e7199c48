"""Logs and metrics: how a service says what it does."""
