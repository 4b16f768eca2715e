"""Checks: the Compose schema, within entries, between entries.

Uses compose.basics. Used by compose.merging and load.
"""
