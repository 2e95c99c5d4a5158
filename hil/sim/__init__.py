"""The simulated station: a process behind the wire. It imports nothing above the clock, and never knows a limit."""
