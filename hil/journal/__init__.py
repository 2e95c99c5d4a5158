"""The append-only record of a run; everything else is computed from it."""
