"""OCI bundles: root file system, mounts, files in /etc, configs and secrets.

Uses spec, state, runtime. Used by containers.setup.
"""
