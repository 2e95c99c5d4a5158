"""Plans: data, in TOML, for one board: requirements, load points, limits and stages."""
