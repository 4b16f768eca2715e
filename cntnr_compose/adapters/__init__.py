"""Floor 3: one outside program or kernel facility each; no decisions."""
