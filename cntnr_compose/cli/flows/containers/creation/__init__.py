"""Create containers that belong to no project, and run them.

Uses cli.flows.containers.flags, client and reconcile. Used by cli.commands.
"""
