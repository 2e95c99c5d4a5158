"""Sheets: pages of dense tables, set line by line by ourselves because a layout engine takes a millisecond a line."""
