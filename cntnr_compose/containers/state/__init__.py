"""State of containers and their project: files, life cycle, restart policy, health, use of volumes.

Uses host and model. Used by the rest of containers and by supervisor.
"""
