"""Readings, uncertainty, limits and decision rules: no I/O but the packaged tables."""
