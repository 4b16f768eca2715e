"""`${VARIABLES}` and .env files. Uses compose.basics. Used by compose.files and merging."""
