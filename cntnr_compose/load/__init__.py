"""Floor 2: text to Project; a list of passes, tree in, tree out."""
