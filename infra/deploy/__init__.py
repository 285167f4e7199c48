"""The system in containers: what its image, its gateway and its databases are made of."""
