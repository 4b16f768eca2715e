"""Log files of containers: read, follow, rotate; output of hooks and health checks.

Uses model. Used by the rest of containers, client and cli.
"""
