"""The scope in which systemd lets containers have groups with limits, and the calls that make it.

Uses host. Used by the supervisor, the builder, doctor and the commands that run something in a container.
"""
