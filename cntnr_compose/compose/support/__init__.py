"""The support of each key of a compose file on this host: honoured, emulated, reduced, refused.

Uses compose.basics and model. Used by cli.
"""
