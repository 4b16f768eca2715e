"""Free what nothing needs any more: blobs, layers, the build cache; check and measure what is stored.

Uses the image store and host. Used by builder, watch and cli.
"""
