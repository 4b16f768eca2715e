"""Write images into one archive and read them again, as `docker save` and `docker load` do.

Uses the store and the transports of images. Used by cli.
"""
