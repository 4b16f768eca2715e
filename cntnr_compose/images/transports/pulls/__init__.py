"""Pull from registries: which layers there are, each fetched once, unpacked while others arrive.

Uses images.layers, the image store and skopeo. Used by its neighbour transfer.
"""
