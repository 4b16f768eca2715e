"""Build images from Dockerfiles, and have all images of a project present.

Uses images, containers, reconcile.labels and host. Used by cli.
"""
