"""What happens in the demo: pure, seeded, the same for the same files and the same last day."""
