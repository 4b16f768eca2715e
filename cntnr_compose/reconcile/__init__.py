"""Project and Observed to a Plan: what to create, recreate, start, stop or remove, and in which order.

Pure. Uses model. Used by cli.
"""
