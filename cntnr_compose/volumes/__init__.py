"""Named and anonymous volumes, and filling them from an image.

Uses host and model. Used by containers, supervisor and client.
"""
