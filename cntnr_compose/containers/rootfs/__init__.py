"""The root file system of a container: what it has changed in its image.

Uses images, containers.bundle. Used by containers.commit and cli.
"""
