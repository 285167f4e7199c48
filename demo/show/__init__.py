"""What the terminal shows: progress while the story plays, then tables, addresses and commands."""
