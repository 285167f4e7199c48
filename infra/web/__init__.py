"""HTTP: one way for every service to be called, to refuse and to be documented."""
