"""Floor 2: decisions; values in, values out, time passed as an argument."""
