"""OCI runtime spec of a service, pure. Uses model. Used by containers.bundle."""
