"""Flags of a new container: check them, and make a compose service of them.

Uses compose and cli.parser. Used by cli.flows.containers.
"""
