"""Short syntax to long syntax, and implied defaults.

Uses compose.basics. Used by compose.load, merging and render, and by cli.
"""
