"""Builds, and what is kept of them."""

from contrib.vm.rows import BASE, IMAGE, Person, require, row

RUN = """FROM machine:1
RUN echo of-the-build >/note && mkdir -p /etc && echo someone:x:1234:1234::/:/bin/sh >/etc/passwd
COPY busybox /copied
CMD ["cat", "/note"]
"""
# The others have one id, as `doctor` says: nobody gives root a range by default.
HAVE_IDS = ("dev", "other")
OWNED = RUN + "RUN chown someone /note\n"


def check_build(person: Person) -> None:
    """Build an image by a command and a copy, run it, build it again from the cache."""
    person.ensure_image()
    text = OWNED if person.user in HAVE_IDS else RUN
    person.machine.put(person.user, "rows/build/Dockerfile", text.encode())
    person.ok(f"cp {BASE}/busybox rows/build/")
    try:
        first = person.ok("cntnr build -q -t row-build rows/build").strip()
        said = person.ok("cntnr run --rm row-build")
        require(said.strip() == "of-the-build", f"it says {said!r}")
        again = person.ok("cntnr build -q -t row-build rows/build").strip()
        require(first == again, f"built again it is {again}, not {first}")
    finally:
        person.run("cntnr image rm row-build")


for name in ("dev", "noids", "root"):
    row(
        f"build-{name}",
        user=name,
        promise="a Dockerfile with RUN and COPY builds, runs, and comes from the cache again",
    )(check_build)


@row("save-load", user="other", promise="`save` and `load` bring an image back")
def save_and_load(person: Person) -> None:
    """Save an image, remove it, load it."""
    person.ensure_image()
    person.ok(f"cntnr tag {IMAGE} row-saved && cntnr save -o rows/saved.tar row-saved")
    try:
        person.ok("cntnr image rm row-saved && cntnr load -i rows/saved.tar")
        said = person.ok("cntnr run --rm row-saved echo loaded")
        require(said.strip() == "loaded", f"it says {said!r}")
    finally:
        person.run("cntnr image rm row-saved; rm -f rows/saved.tar")
