"""The process that serves one project: its socket, its change lock, plans, restarts.

Uses containers, networks, volumes. Started by client.
"""
