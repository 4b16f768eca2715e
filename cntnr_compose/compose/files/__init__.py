"""Which files are meant, their reading, and their relative paths.

Uses yaml and variables. Used by compose.merging and load.
"""
