"""Read Dockerfiles: text to instructions, stages and steps. Pure.

Uses model and core. Used by builder and builder.worker.
"""
