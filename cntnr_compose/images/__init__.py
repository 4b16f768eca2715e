"""Images: the store, pull and push, unpacked layers.

Uses host and model. Used by containers, builder and cli.
"""
