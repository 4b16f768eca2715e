"""Frozen values: Project, Observed, Plan, and what goes over the socket.

Uses core. Used by all above.
"""
