"""Keep results of builds for the next ones: of steps, and of whole images.

Uses builder.walker, builder.digests and images. Used by builder.
"""
