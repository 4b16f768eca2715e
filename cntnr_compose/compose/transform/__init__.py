"""Short syntax to long syntax, and implied defaults.

Uses compose.basics. Used by compose.merging and load.
"""
