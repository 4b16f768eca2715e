"""Images: the bake file of builds, the configuration of a committed image.

Uses builder and compose. Used by the commands.
"""
