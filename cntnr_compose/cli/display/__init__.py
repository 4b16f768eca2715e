"""Output: progress, tables, logs, questions. Uses core, model, containers.logs. Used by all of cli."""
