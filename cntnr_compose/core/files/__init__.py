"""Where files of ours lie, and what is in them, for commands that do without pathlib and msgspec.

Uses core.errors and core.names. Used by core.paths and what reads files quickly.
"""
