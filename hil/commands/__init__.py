"""One command a module; each has `run(asked) -> exit code`."""
