"""What systemd does with this user's processes: at boot, and when the user logs out.

Uses host. Used by doctor and client.
"""
