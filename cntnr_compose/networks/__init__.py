"""Networks of projects: bridges, addresses, names, CNI, published ports.

Uses host and model. Used by containers and supervisor.
"""
