"""The wires: the only room that imports pyvisa, pyftdi, serial and sockets, and maps their errors to ours."""
