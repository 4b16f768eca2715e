"""What systemd does with this user's processes: at boot, at logout, and the scope that limits need.

Uses host. Used by the supervisor, the builder, doctor and client.
"""
