"""One container: its spec, bundle, state, runtime, logs, and its life.

Uses host, images, networks, volumes. Used by supervisor, builder and client.
"""
