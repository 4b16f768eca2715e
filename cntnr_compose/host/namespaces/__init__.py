"""The namespaces that all containers of a user live in, made by rootlesskit.

Uses host. Used by all that enter them.
"""
