"""Figures that a sceptic can repeat: each a ratio of ours to a floor or a peer, taken in one run."""
