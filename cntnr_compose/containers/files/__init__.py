"""Files of containers: copy trees and archives into containers and out of them, running or stopped.

A worker process in the holder's user namespace, where the files' owners exist, works in the container's root.
It and the command pass each other entries with open files. Uses host, containers.bundle. Used by cli.
"""
