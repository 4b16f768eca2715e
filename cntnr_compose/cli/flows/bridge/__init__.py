"""Conversions of compose files: the model that is converted, and the containers that convert it."""
