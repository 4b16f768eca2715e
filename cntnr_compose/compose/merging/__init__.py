"""Merge compose files, `extends` and `include` to one tree.

Uses files, transform, validation. Used by compose.load.
"""
