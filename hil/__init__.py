"""Certify smart-power boards: a pytest framework for real boards and real lab instruments."""

__version__ = "0.1.0"
