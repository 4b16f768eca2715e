"""Checks of a tree: against the Compose schema, within one entry, between entries.

Uses compose.basics. Used by compose.load and merging.
"""
