"""runc under conmon, published ports, host facts.

Uses host and networks. Used by the rest of containers.
"""
