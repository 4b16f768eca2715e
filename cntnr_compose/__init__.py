"""The compose engine for people without root."""

__version__ = "0.1.0"
