"""Compose files to a `Project`: read, interpolate, merge, validate, decode, render again.

Pure. Uses model. Used by client and cli.
"""
