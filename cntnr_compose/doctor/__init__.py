"""What this host can do: checks, probes, capabilities. Uses host. Used by cli."""
