"""What those who run it need: how things stand, backup and restore."""
