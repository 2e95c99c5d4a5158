"""The boards of the simulated station."""
