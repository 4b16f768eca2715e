"""Services that a program provides, not a container: find the program, and speak docker compose's protocol.

Uses compose, host and model. Used by cli.
"""
