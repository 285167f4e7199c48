"""The same figures once more, from the callers' own books: shares no line of code with the services."""
