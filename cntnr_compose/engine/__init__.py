"""Floor 4: ties decisions to effects; emits events."""
