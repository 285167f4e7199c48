"""What every service stands on. Knows no business word and imports no service."""
