"""Read commands and flags of docker compose, or of docker, from its `--help`, and write them as JSON.

    python contrib/compatibility/read_help.py DOCKER_COMPOSE > docker-compose-VERSION.json
    python contrib/compatibility/read_help.py docker image images pull … > docker-images-VERSION.json

The words behind the program are the commands to read; without any it is all of them. Flags that `--help` does
not list are added where docker compose accepts them (`HIDDEN`).
"""

import json
import re
import subprocess
import sys

FLAG = re.compile(r"^(?:  (-\w), |      )(--[\w-]+)(?: ([\w-]+))?(?:  |$)")
COMMAND = re.compile(r"^  ([a-z-]+) +\S")
# Tried by name, since no help shows them.
HIDDEN = {
    "": ("--no-ansi", "--verbose", "-v, --version", "--workdir string"),
    "build": ("--compress", "--force-rm", "--no-rm", "--parallel", "--progress string"),
    "exec": ("-i, --interactive", "-t, --tty", "--no-TTY"),
    "pull": ("--no-parallel", "--parallel"),
    "rm": ("-a, --all",),
    "run": ("-t, --tty",),
}


def main() -> None:
    """Ask the program for the help of every command, from the root on."""
    program = sys.argv[1]
    commands: dict[str, list[str]] = {}
    chosen = sys.argv[2:]
    remaining = [*chosen] or ["", "alpha"]  # alpha is not listed
    while remaining:
        path = remaining.pop(0)
        text = run(program, *path.split(), "--help")
        commands[path] = flags(text)
        remaining += [f"{path} {name}".strip() for name in subcommands(text)]
    for path, rows in ({} if chosen else HIDDEN).items():
        for row in rows:
            word = row.split()[-2 if row.endswith(" string") else -1]
            value = "=auto" if row.endswith(" string") else ""
            if not run(program, *path.split(), word + value, "--help").startswith("unknown"):
                commands[path].append(f"{row} (hidden)")
    words = ("--format", "{{.Client.Version}}") if chosen else ("--short",)
    version = run(program, "version", *words).split()[0]
    document = {"version": version, "commands": dict(sorted(commands.items()))}
    print(json.dumps(document, indent=2))


def run(*words: str) -> str:
    """Run a program and return all that it prints."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def flags(text: str) -> list[str]:
    """List the flags of a help text as it spells them: ``-f, --file stringArray``."""
    rows = (FLAG.match(line) for line in text.splitlines())
    return [
        " ".join(filter(None, (row[1] and f"{row[1]},", row[2], row[3])))
        for row in rows
        if row and row[2] != "--help"
    ]


def subcommands(text: str) -> list[str]:
    """List the commands of a help text."""
    _, _, listed = text.partition("Commands:\n")
    rows = (COMMAND.match(line) for line in listed.splitlines())
    return [row[1] for row in rows if row]


if __name__ == "__main__":
    main()
