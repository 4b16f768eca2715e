"""Ports, names and addresses as this kind of machine has them."""

from contrib.vm.rows import Person, Skipped, require, row

WEB = """
services:
  web:
    image: machine:1
    init: true
    command: [sh, -c, "mkdir -p /srv; echo served >/srv/index.html; exec httpd -f -p 8080 -h /srv"]
    ports: ["127.0.0.1:PORT:8080"]
  asks:
    image: machine:1
    init: true
    extra_hosts: ["machine.internal:host-gateway"]
"""
LOW = "net.ipv4.ip_unprivileged_port_start"
UNRESOLVED = "the machine itself does not resolve the name"
SERVER = "/run/row-names.pid"


@row(
    "low-ports",
    user="other",
    promise=f"port 80 is refused with the setting's name, and works with {LOW}=80",
)
def low_ports(person: Person) -> None:
    """Publish port 80 before and after it is allowed."""
    root = person.another("root")
    with person.project("low", WEB.replace("PORT", "80")) as project:
        up = project.run("up -d web")
        require(up.status != 0, "up succeeds although the port is forbidden")
        require(LOW in up.stderr, f"{LOW} is not named: {up}")
        root.ok(f"sysctl -qw {LOW}=80")
        try:
            project.ok("up -d web")
            page = person.wait("curl -sSf --max-time 20 http://127.0.0.1:80/", limit=60)
            require(page.strip() == "served", f"the page is {page!r}")
        finally:
            root.ok(f"sysctl -qw {LOW}=1024")


@row("service-names", user="dev", promise="services find each other by name")
def service_names(person: Person) -> None:
    """Ask one service from another."""
    with person.project("names", WEB.replace("PORT", "18090")) as project:
        project.ok("up -d")
        page = project.wait("exec -T asks wget -q -O - http://web:8080/", limit=90)
        require(page.strip() == "served", f"the page is {page!r}")


@row(
    "resolved",
    user="dev",
    promise="containers resolve what the servers know that systemd-resolved asks",
)
def resolved(person: Person) -> None:
    """Give resolved a server that knows a name, and ask for it in a container."""
    root = person.another("root")
    link = root.ok("ip -o route show default").split()
    device = link[link.index("dev") + 1]
    shown = root.ok(f"ip -o -4 addr show dev {device}").split()
    address = shown[shown.index("inet") + 1].partition("/")[0]
    root.ok(
        f"dnsmasq --no-hosts --no-resolv --bind-interfaces --listen-address={address} "
        f"--address=/row.example/10.1.2.3 --pid-file={SERVER}"
    )
    try:
        root.ok(f"resolvectl dns {device} {address}")
        if "10.1.2.3" not in root.ok("getent ahosts row.example || true"):
            raise Skipped(UNRESOLVED)
        with person.project("resolved", WEB.replace("PORT", "18091")) as project:
            project.ok("up -d asks")
            said = project.run("exec -T asks nslookup row.example")
            require("10.1.2.3" in said.stdout, said)
    finally:
        root.ok(f"resolvectl revert {device}; kill $(cat {SERVER}); networkctl reload")


@row("host-gateway", user="dev", promise="`host-gateway` leads to a server of the machine")
def host_gateway(person: Person) -> None:
    """Serve a page on all addresses of the machine, and ask for it in a container."""
    root = person.another("root")
    root.ok(
        "mkdir -p /run/row && echo of-the-machine >/run/row/index.html && "
        "systemd-run -q --unit=row-server busybox httpd -f -p 18092 -h /run/row"
    )
    try:
        with person.project("gateway", WEB.replace("PORT", "18093")) as project:
            project.ok("up -d asks")
            # Not `wget -T`, with which Debian's busybox crashes.
            ask = "timeout 30 wget -q -O - http://machine.internal:18092/"
            said = project.run(f"exec -T asks {ask}")
            require(said.stdout.strip() == "of-the-machine", said)
    finally:
        root.run("systemctl stop row-server")


@row("apparmor", user="dev", promise="AppArmor is on, and containers run")
def apparmor(person: Person) -> None:
    """Check that AppArmor is on, and run a container."""
    status = person.another("root").run("aa-status --enabled")
    require(status.status == 0, f"AppArmor is off: {status}")
    person.ensure_image()
    said = person.ok("cntnr run --rm machine:1 echo runs")
    require(said.strip() == "runs", f"it says {said!r}")
