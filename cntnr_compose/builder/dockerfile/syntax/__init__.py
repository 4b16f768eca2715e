"""Read the parts of a Dockerfile's text: directives, flags, heredocs. Pure.

Uses core. Used by builder.dockerfile.
"""
