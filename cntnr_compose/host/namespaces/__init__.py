"""The holder of the namespaces that all containers of a user run in, which rootlesskit starts.

Uses host. Used by all that start or enter them.
"""
