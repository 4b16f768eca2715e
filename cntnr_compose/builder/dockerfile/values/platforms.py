"""Name the platforms of a build: ``linux/amd64``, and the arguments that are made of them."""

import re

PLATFORM = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_.-]+){0,3}")
SYSTEMS = ("linux", "windows", "darwin", "freebsd", "openbsd", "netbsd", "wasip1")
MACHINE_ALIASES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}


def platform_args(target: str, build: str) -> dict[str, str]:
    """Return the predefined arguments for the platforms: that of the image, and that of this machine."""
    values: dict[str, str] = {}
    for side, platform in (("TARGET", target), ("BUILD", build)):
        system, _, rest = platform.partition("/")
        machine, _, variant = rest.partition("/")
        parts = {"PLATFORM": platform, "OS": system, "ARCH": machine, "VARIANT": variant}
        values |= {f"{side}{name}": value for name, value in parts.items()}
    return values


def normalize_platform(platform: str, own: str) -> str:
    """Complete a platform, such as ``arm64`` or ``linux``, by what this machine is; one spelling for each."""
    parts = platform.lower().split("/")
    system, machine = own.split("/")[:2]
    if len(parts) == 1:
        parts = [parts[0], machine] if parts[0] in SYSTEMS else [system, parts[0]]
    parts[1] = MACHINE_ALIASES.get(parts[1], parts[1])
    if parts[1:] in (["arm64", "v8"], ["amd64", "v1"]):
        parts.pop()
    return "/".join(parts)
