"""The wires to the simulated instruments: raw socket, HiSLIP, VXI-11."""
