"""Networks of projects: bridges, firewall rules, addresses, CNI, DNS, published ports, the uplink.

Uses host and model. Used by containers and supervisor.
"""
