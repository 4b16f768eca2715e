"""Copy images between the store and registries, archives, layouts and daemons, with skopeo.

Uses the store of images, model and host. Used by builder and cli.
"""
