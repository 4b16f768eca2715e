"""What `doctor` says to each of the users, and whether containers then do so."""

import json
import shlex
from typing import TypeAlias

from contrib.vm.machine import COMMAND_LIMIT, Result
from contrib.vm.rows import IMAGE, Person, Skipped, require, row
from contrib.vm.scenarios.projects import SLEEPER, require_nothing_left

Checks: TypeAlias = dict[str, dict[str, str]]
OFF = "kernel.unprivileged_userns_clone"
FEATURES = "/sys/kernel/security/apparmor/features/namespaces/mask"
PROFILES = "/etc/apparmor.d"
# Debian 13 and Ubuntu have a profile of their own for rootlesskit.
LAY_ASIDE = "[ ! -e rootlesskit ] || { apparmor_parser -R rootlesskit; mv rootlesskit /root/; }"
PUT_BACK = "[ ! -e /root/rootlesskit ] || mv /root/rootlesskit .; apparmor_parser -r rootlesskit"
UNKNOWN = "AppArmor of this kernel knows no user namespaces; that of Linux 6.7 does"
SESSION = "row-session"
# All is allowed but to make user namespaces. A program gets the profile of its name, where there is one.
SESSION_PROFILE = f"""
abi <abi/4.0>,
profile {SESSION} flags=(attach_disconnected, mediate_deleted) {{
  /{{**,}} rwlkm,
  /{{**,}} pix,
  capability, network, mount, remount, umount, pivot_root, ptrace, signal, unix, dbus, mqueue, io_uring,
  change_profile,
  deny userns,
}}
"""
# $0 is a user, $1 a profile, $2 a command.
COVERED = """
set -e
copy=$(mktemp -d)
mount -t tmpfs copy $copy
cp -r /proc/sys/kernel/. $copy 2>/dev/null || true
echo 1 >$copy/apparmor_restrict_unprivileged_userns
mount --bind $copy /proc/sys/kernel
umount $copy
rmdir $copy
cd "$(getent passwd "$0" | cut -d : -f 6)"
exec runuser -u "$0" -- env HOME="$PWD" XDG_RUNTIME_DIR=/run/user/$(id -u "$0") aa-exec -p "$1" -- sh -c "$2"
"""
# An image that no registry has: who tries to pull it fails in other words.
ABSENT = "services: {a: {image: registry.invalid/none:1}}"


def ask_doctor(person: Person, words: str = "") -> Checks:
    """Return the rows of `doctor` by name; its status has to tell whether one is missing."""
    done = person.run(f"cntnr doctor {words} --format json")
    rows = {check["name"]: check for check in json.loads(done.stdout or "[]")}
    require(rows, done)
    missing = [name for name, check in rows.items() if check["state"] == "missing"]
    require(done.status == int(bool(missing)), f"status {done.status}, but missing: {missing}")
    return rows


def require_enough(checks: Checks) -> None:
    """Check that `doctor` misses nothing."""
    missing = [
        f"{name}: {row['found']}" for name, row in checks.items() if row["state"] == "missing"
    ]
    require(not missing, f"missing: {'; '.join(missing)}")


def check_doctor(person: Person) -> None:
    """Compare what `doctor` says with what containers do."""
    checks = ask_doctor(person, "--try")
    require_enough(checks)
    require(checks["container"]["state"] == "ok", f"the trial says {checks['container']}")
    has_ids = person.run("grep -q ^$USER: /etc/subuid").status == 0
    ids, ports, cgroups = (checks[name] for name in ("subordinate ids", "low ports", "cgroups"))
    require((ids["state"] == "ok") == has_ids, f"subordinate ids are {ids}")
    is_held = "its limit holds" in checks["container"]["found"]
    require((cgroups["state"] == "ok") == is_held, f"{cgroups}, but {checks['container']}")
    person.ensure_image()
    for check, words in ((ids, "-u 1234"), (ports, "-p 127.0.0.1:80:80")):
        ran = person.run(f"cntnr run --rm {words} {IMAGE} true")
        require((ran.status == 0) == (check["state"] == "ok"), f"doctor says {check}, but {ran}")
    require_nothing_left(person)


for name in ("dev", "other", "noids", "root"):
    row(
        f"doctor-{name}",
        user=name,
        promise="`doctor --try` misses nothing; containers have the ids, low ports and limits that it says",
    )(check_doctor)


def require_refusal(person: Person, words: str) -> str:
    """Check that `doctor` and `up` tell what forbids user namespaces, and return the command against it."""
    require_nothing_left(person)
    check = ask_doctor(person)["user namespaces"]
    require(check["state"] == "missing", f"doctor says {check}")
    require(words in check["mend"], f"doctor does not name {words}: {check}")
    with person.project("absent", ABSENT) as project:
        for ran in (project.run("up -d"), person.run("cntnr run registry.invalid/none:1")):
            require(ran.status != 0, f"it succeeds: {ran}")
            told = ran.stderr.splitlines()
            require(
                len(told) == 2 and told[0].endswith(check["found"]), f"doctor says {check}; {ran}"
            )
            require(told[1].endswith(f": {check['mend']}"), f"doctor says {check}; {ran}")
    return check["mend"]


@row(
    "user-namespaces-off",
    user="other",
    promise="where user namespaces are forbidden, `doctor` and `up` name the setting and the command before"
    " anything is pulled; containers of before go on, and root's start",
)
def user_namespaces_off(person: Person) -> None:
    """Switch user namespaces off for a while."""
    root = person.another("root")
    with person.project("off", SLEEPER) as project, root.project("off", SLEEPER) as roots:
        project.ok("up -d")
        root.ok(f"sysctl -qw {OFF}=0")
        try:
            check = ask_doctor(person)["user namespaces"]
            require(
                check["state"] == "reduced", f"beside a container that runs doctor says {check}"
            )
            project.ok("up -d --scale a=2")
            project.ok("down -t 0")
            require_refusal(person, f"sysctl -w {OFF}=1")
            require_enough(ask_doctor(root))
            roots.ok("up -d")
            roots.ok("down -t 0")
        finally:
            root.ok(f"sysctl -qw {OFF}=1")
        project.ok("up -d")


class Confined(Person):
    """Somebody whose session AppArmor confines: its programs may make no user namespaces."""

    def run(self, command: str, *, limit: float = COMMAND_LIMIT) -> Result:
        """Run a shell command in the session."""
        return super().run(f"aa-exec -p {SESSION} -- sh -c {shlex.quote(command)}", limit=limit)


class ConfinedAsByUbuntu(Person):
    """The same, with Ubuntu's setting beside: for refusals only, since /proc is covered."""

    def run(self, command: str, *, limit: float = COMMAND_LIMIT) -> Result:
        """Run a shell command in the session."""
        words = ("sh", "-c", COVERED, self.user, SESSION, command)
        return self.another("root").run(f"unshare -m {shlex.join(words)}", limit=limit)


@row(
    "apparmor-restriction",
    user="other",
    promise="where AppArmor lets only named programs make user namespaces, as on Ubuntu 24.04 (here by a"
    " profile of the session), `doctor` and `up` name the command; after it containers run, also beside the"
    " profile of the distribution",
)
def apparmor_restriction(person: Person) -> None:
    """Have AppArmor confine a session, and give rootlesskit the profile of contrib/apparmor."""
    root, machine = person.another("root"), person.machine
    if root.run(f"grep -qs userns {FEATURES}").status != 0:
        raise Skipped(UNKNOWN)
    person.ensure_image()
    machine.put("root", f"{PROFILES}/{SESSION}", SESSION_PROFILE.encode())
    confined = Confined(machine, person.user)
    try:
        root.ok(f"cd {PROFILES} && apparmor_parser -r {SESSION}; {LAY_ASIDE}")
        require(confined.run("rootlesskit true").status != 0, "the session is not confined")
        mend = require_refusal(ConfinedAsByUbuntu(machine, person.user), "apparmor_parser -r")
        root.ok(mend.replace("sudo ", ""))
        require_enough(ask_doctor(confined))
        root.ok(f"cd {PROFILES} && {PUT_BACK}")
        with confined.project("named", SLEEPER) as project:
            project.ok("up -d")
            project.ok("exec -T a true")
    finally:
        for name in (SESSION, "cntnr-rootlesskit"):
            root.run(
                f"cd {PROFILES} && [ ! -e {name} ] || {{ apparmor_parser -R {name}; rm {name}; }}"
            )
        root.run(f"cd {PROFILES} && {PUT_BACK}")
    require_nothing_left(person)
