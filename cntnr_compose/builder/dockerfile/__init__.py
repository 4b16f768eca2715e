"""Read Dockerfiles: text to instructions, stages and steps. Pure.

Uses containers.spec.process, compose.basics and model. Used by builder and builder.worker.
"""
