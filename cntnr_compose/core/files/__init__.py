"""Where files of ours lie, what is in them and who holds their locks, without pathlib and msgspec.

Uses core.errors and core.names. Used by core.paths and what reads files quickly.
"""
