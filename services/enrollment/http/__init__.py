"""The resources of enrollment: thin, one module for each topic."""
