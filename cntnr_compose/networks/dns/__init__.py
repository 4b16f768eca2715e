"""Names of containers: dnsmasq, and the redirection of queries to it.

Uses host. Used by networks and containers.
"""
