"""Log files of containers: read, follow, rotate.

Uses host. Used by the rest of containers and by client.
"""
