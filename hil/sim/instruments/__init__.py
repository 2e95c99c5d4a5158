"""The instruments of the simulated bench, one model a file, written from their manuals."""
