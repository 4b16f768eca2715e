"""Decode a tree to typed values, key by key.

Uses compose.basics. Used by compose.load and to_project.
"""
