"""Build the OCI runtime spec of a service, and of processes that join its container. Pure.

Uses model. Used by the rest of containers and by builder.
"""
