"""OCI bundles: root file system, mounts, files in /etc, configs and secrets.

Uses containers.{spec, state, runtime}, images, networks, volumes and host. Used by the rest of containers,
and by builder.
"""
