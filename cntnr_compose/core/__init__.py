"""Floor 0: words everybody shares; standard library and msgspec only."""
