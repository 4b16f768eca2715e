"""Named and anonymous volumes. Uses host and model. Used by containers and supervisor."""
