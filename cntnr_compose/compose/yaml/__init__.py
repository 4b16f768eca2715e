"""YAML text to trees with source positions, and back.

Uses compose.basics. Used by compose.files, merging and render.
"""
