"""What `doctor` says to each of the users."""

import json

from contrib.vm.rows import Person, require, row
from contrib.vm.scenarios.projects import SLEEPER, require_nothing_left


def check_doctor(person: Person) -> None:
    """Check that nothing is missing, and that each cure that is named is a command."""
    done = person.run("cntnr doctor --format json")
    require(done.status == 0, done)
    checks = json.loads(done.stdout)
    missing = [check["name"] for check in checks if check["state"] == "missing"]
    require(not missing, f"missing: {', '.join(missing)}")
    ids = next(check for check in checks if check["name"] == "subordinate ids")
    expected = "ok" if person.run("grep -q ^$USER: /etc/subuid").status == 0 else "reduced"
    require(ids["state"] == expected, f"subordinate ids are {ids['state']}: {ids['found']}")


for name in ("dev", "other", "noids", "root"):
    row(
        f"doctor-{name}",
        user=name,
        promise="`doctor` misses nothing, and tells who has no subordinate ids",
    )(check_doctor)


@row(
    "user-namespaces-off",
    user="other",
    promise="where user namespaces are forbidden, `doctor` and `up` name the setting",
)
def user_namespaces_off(person: Person) -> None:
    """Switch user namespaces off for a while."""
    root = person.another("root")
    setting = "kernel.unprivileged_userns_clone"
    with person.project("off", SLEEPER) as project:
        require_nothing_left(person)
        root.ok(f"sysctl -qw {setting}=0")
        try:
            doctor, up = person.run("cntnr doctor"), project.run("up -d")
        finally:
            root.ok(f"sysctl -qw {setting}=1")
    require(doctor.status != 0, "doctor finds nothing missing")
    require(setting in doctor.stdout, f"doctor does not name {setting}")
    require(up.status != 0, "up succeeds")
    require(f"{setting}=1" in up.stderr, f"up does not name `sysctl -w {setting}=1`: {up}")
