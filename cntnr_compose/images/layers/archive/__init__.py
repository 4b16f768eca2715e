"""Read the archive that the blob of a layer is: decompress it, hash it, and read its entries.

Uses the standard library, isal and zstandard. Used by its neighbours in images.layers.
"""
