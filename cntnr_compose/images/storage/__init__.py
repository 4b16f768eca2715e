"""Free what nothing needs any more: blobs, unpacked layers, the build cache; check what is stored; measure it.

Uses the image store and host. Used by builder, watch and cli.
"""
