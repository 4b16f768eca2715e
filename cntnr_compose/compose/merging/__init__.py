"""Merge compose files, with `extends`, `include` and the env files of services, into one tree.

Uses files, variables, transform, decode, validation and yaml. Used by load, recovery and render.
"""
