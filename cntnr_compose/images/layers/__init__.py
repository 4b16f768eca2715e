"""Unpack the layers of images into folders that overlays are mounted over, and pack folders into layers.

Uses the image store and host. Used by containers and builder.
"""
