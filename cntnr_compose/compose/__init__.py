"""Compose files to a `Project`: find, read, interpolate, merge, validate, decode; and text for `config`.

Pure but for reading files. Uses model and core. Used by cli, doctor and networks.
"""
