"""runc under conmon, published ports, facts about the host.

Uses containers.{spec, state}, networks and host. Used by the rest of containers and by builder.
"""
