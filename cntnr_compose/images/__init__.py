"""Store, pull, push and unpack images.

Uses model and host. Used by containers, builder, supervisor and cli.
"""
