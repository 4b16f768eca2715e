"""Read the texts of flags and paths of a Dockerfile: modes of files, addresses of git, ports, patterns. Pure.

Uses core. Used by builder.
"""
