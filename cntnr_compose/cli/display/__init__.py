"""Output: progress, tables, logs, templates. Uses core and model. Used by all of cli."""
