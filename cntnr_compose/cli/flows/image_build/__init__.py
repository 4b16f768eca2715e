"""Builds of one image from the command line: docker's options, and steps given as options.

Uses builder, images and the display. Used by the commands `build` and `image create`.
"""
