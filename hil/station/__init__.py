"""stations.toml, the opened bench, and its safe state."""
