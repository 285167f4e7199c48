"""Our own parts, each alone in a process, started on a word so that getting ready isn't measured."""
