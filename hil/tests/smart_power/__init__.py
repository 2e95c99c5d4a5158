"""Certification tests of the Smart Power board: metering, relays and what comes before power."""
