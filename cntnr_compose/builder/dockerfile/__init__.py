"""Dockerfiles: text to stages and instructions, pure.

Uses model. Used by builder and builder.worker.
"""
