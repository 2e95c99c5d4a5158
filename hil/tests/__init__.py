"""The certification tests themselves, one folder a board. They are the product; the framework's own are in tests/."""
