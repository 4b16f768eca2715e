"""Read the parts of a Dockerfile's text: directives, flags, heredocs, shell patterns. Pure.

Uses core. Used by builder.dockerfile.
"""
