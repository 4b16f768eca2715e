"""The project that a command means: -f and -p, selection of services, its session with the supervisor.

Uses compose, client. Used by cli.flows and commands.
"""
