"""Build images from Dockerfiles. Uses containers, images and host. Used by cli."""
