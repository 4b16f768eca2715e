"""Records, status and rules of a container's life.

Uses host and model. Used by the rest of containers and by supervisor.
"""
