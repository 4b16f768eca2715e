"""Floor 1: what should be and what is; frozen values, no behaviour but queries."""
