"""Decoders: what type each key takes, and how docker compose prints it.

Uses compose.basics. Used by compose.load, merging and render, and by cli.
"""
