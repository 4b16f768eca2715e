"""Run processes in running containers, as `exec` does, with or without a terminal.

Uses client, host and core. Used by cli and watch.
"""
