"""What is to be read, and how: the loader's one argument."""

from collections.abc import Mapping

from cntnr_compose.core.frozen import Frozen


class LoadRequest(Frozen):
    """Which project is meant; the process environment is part of it, so that nothing else is asked."""

    files: tuple[str, ...] = ()  # empty: COMPOSE_FILE, else looked for
    project_name: str = ""
    project_directory: str = ""
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()  # "*" means all
    services: tuple[str, ...] = ()  # those that were asked for, enabled whatever their profiles
    environ: Mapping[str, str] = {}
    cwd: str
    compatibility: bool = False
    all_resources: bool = False
    interpolate: bool = True
    normalize: bool = True
    resolve_paths: bool = True
    consistency: bool = True
    resolve_environment: bool = True
    with_provenance: bool = False  # whether to tell, too, where each value was written
