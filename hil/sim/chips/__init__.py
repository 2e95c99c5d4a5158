"""The chips on the simulated boards, at their pins."""
