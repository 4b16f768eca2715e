"""Conversions of compose files: the model that is converted, and the containers that convert it.

Uses builder, containers and the flows of `run` and `up`. Used by the command `bridge`.
"""
