"""Which compose and env files belong to a project, how they are read, and their relative paths.

Uses variables and basics. Used by merging, load, render and cli.
"""
