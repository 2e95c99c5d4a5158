"""A run: one plan executed on one unit, start to finish; what pytest drives and what the tests measure with."""
