"""Store, pull, push and unpack images; publish projects.

Uses model and host. Used by containers, builder, supervisor and cli.
"""
