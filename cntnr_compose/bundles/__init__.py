"""OCI bundles that stay: create and keep them, and run them by an OCI runtime itself.

Uses containers, images, networks and host. Used by cli.
"""
