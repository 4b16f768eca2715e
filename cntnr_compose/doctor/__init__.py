"""What this host allows: checks, probes, required programs, capabilities.

Uses host and model. Used by cli.
"""
