"""How each key of a compose file is supported on this host.

Uses compose.basics and model. Used by cli and doctor.
"""
