"""Connections of commands to a project's supervisor, and what they read without one.

Uses containers, volumes and host. Used by cli.
"""
