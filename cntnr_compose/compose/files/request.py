"""The loader's one argument: which project to load, and how."""

from collections.abc import Callable, Mapping

from cntnr_compose.core.frozen import Frozen


class LoadRequest(Frozen):
    """Which project to load, and how; with the process environment, so that the loader reads no other."""

    files: tuple[str, ...] = ()  # empty: COMPOSE_FILE, else found by name
    project_name: str = ""
    project_directory: str = ""
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()  # "*" means all
    services: tuple[str, ...] = ()  # named by the user: enabled whatever their profiles
    environ: Mapping[str, str] = {}
    cwd: str
    # Reads a project that was published, by its oci:// reference; returns the paths of its compose files.
    fetch: Callable[[str], tuple[str, ...]] | None = None
    compatibility: bool = False
    all_resources: bool = False
    interpolate: bool = True
    normalize: bool = True
    resolve_paths: bool = True
    consistency: bool = True
    resolve_environment: bool = True
    tolerate_missing_env_files: bool = False  # `Project.missing_env_files` names them then
    with_provenance: bool = False  # whether to record where each value is written
