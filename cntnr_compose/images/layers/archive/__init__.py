"""Read the archive that the blob of a layer is: decompress it, hash it, and read its entries."""
