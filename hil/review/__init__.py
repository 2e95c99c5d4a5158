"""Design review: a board's own document in, findings out. It knows chips and rules, and no board by name."""
