#!/bin/bash
# Make a bare Debian (12 or newer) or Ubuntu (22.04 or newer) machine ready for cntnr and its tests; on
# Fedora and Arch for cntnr alone, by dnf or pacman: its tests are made of Debian packages.
#
#   contrib/setup/install.sh            everything: system packages, kernel settings, user, .venv
#   contrib/setup/install.sh --system   only what needs root
#   contrib/setup/install.sh --venv     only the virtual environment
#   contrib/setup/install.sh --packages print the packages, and change nothing
#
# Run it as often as you like: what is there already is left alone. Run as root it also makes the
# unprivileged users cntnr-test and cntnr-test-2 (or as $CNTNR_TEST_USER says), because cntnr is
# tested as these, side by side, and for each one without subordinate ids, cntnr-test-one; run by
# anybody else it asks sudo for the system part only.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
part=${1:-all}
users=${CNTNR_SETUP_USER:-$(id -un)}
one_id_users='' # without subordinate ids
if [ "$users" = root ]; then
  users=${CNTNR_TEST_USER:-cntnr-test}
  case $users in *-2) ;; *) users="$users $users-2" ;; esac
  for user in $users; do one_id_users="$one_id_users $user-one"; done
fi

say() { echo "setup: $*"; }
fail() { echo "setup: cannot go on: $*" >&2; exit 1; }

# package: what cntnr (or its test suite) wants it for
wanted() {
  cat <<'LIST'
runc                             runs containers
crun                             runs them, too, in tests
umoci                            unpacks images beside us, in tests
skopeo                           pulls and pushes images
containernetworking-plugins      connects containers to networks
iptables                         publishes ports of bundles (plugins bridge and portmap)
rootlesskit                      makes the namespaces of an ordinary user
slirp4netns                      connects those namespaces to the outside
uidmap                           maps more than one user id (newuidmap)
conmon                           keeps a container's log and exit code
dnsmasq-base                     finds services by name
nftables                         keeps networks apart
iproute2                         looks at network interfaces
tini                             init for containers that ask for one
busybox-static                   the smallest base image
golang-github-containers-common  the default seccomp profile
ca-certificates                  certificates of registries
python3                          runs cntnr itself
python3-venv                     keeps its libraries apart
mmdebstrap                       makes Debian images for tests and examples
docker-registry                  a registry to test against
curl                             asks published ports
procps                           looks at processes
git                              lists the files of this tree
make                             runs the targets
squashfs-tools                   writes unpacked layers into files for others
squashfuse                       mounts them
gnupg                            signs images in tests
openssl                          makes certificates in tests
zsh                              completes command lines in a test
fish                             completes command lines in a test
xvfb                             a screen for graphical programs, in a test
x11-apps                         such programs, and screenshots (xlogo, xwd)
x11-utils                        finds windows by their names
proot                            fakes owners and users in containers of one id, in tests
LIST
}

# Names that are others on Fedora and Arch; "-" where it is part of another package, or there is none.
renamed() {
  cat <<'LIST'
containernetworking-plugins      containernetworking-plugins  cni-plugins
uidmap                           shadow-utils                 shadow
dnsmasq-base                     dnsmasq                      dnsmasq
iproute2                         iproute                      iproute2
tini                             tini-static                  tini
golang-github-containers-common  containers-common            containers-common
python3                          python3                      python
python3-venv                     -                            -
procps                           procps-ng                    procps-ng
LIST
}

manager() { # the package manager of this machine
  local name
  for name in ${PACKAGE_MANAGER:-} apt-get dnf pacman; do
    if command -v "$name" >/dev/null; then echo "$name"; return; fi
  done
}

# Prints the packages that are wanted, by the names that the package manager knows.
named_packages() {
  local column=0 package rest names
  case $(manager) in dnf) column=2 ;; pacman) column=3 ;; esac
  wanted | while read -r package rest; do
    if [ $column = 0 ]; then echo "$package"; continue; fi
    case $package$rest in *test* | busybox-static* | make*) continue ;; esac
    names=$(renamed | awk -v package="$package" -v column=$column '$1 == package { print $column }')
    names=${names:-$package}
    [ "$names" = - ] || echo "$names"
  done
}

installed() {
  case $(manager) in
    dnf) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
    pacman) pacman -Qq "$1" >/dev/null 2>&1 ;;
    *) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
  esac
}

missing_packages() {
  local package
  named_packages | while read -r package; do
    installed "$package" || echo "$package"
  done
  if [ "$(manager)" = apt-get ] && [ -z "$(find_python)" ]; then echo python3.11; echo python3.11-venv; fi
}

# A Python of the system, 3.11 or newer: never a shim from somebody's home, which others cannot read.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} /usr/bin/python3 /usr/bin/python3.1{4,3,2,1}; do
    if [ -x "$(command -v "$candidate" 2>/dev/null)" ] &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
}

has_range() { grep -q "^\($1\|$(id -u "$1" 2>/dev/null || echo -)\):" "$2" 2>/dev/null; }

tun_is_open() { [ -c /dev/net/tun ] && [ $((0$(stat -c %a /dev/net/tun) & 0006)) -eq 6 ]; }

userns_switch() { # prints NAME=VALUE for each kernel switch that forbids user namespaces
  local file
  file=/proc/sys/kernel/unprivileged_userns_clone
  if [ -r $file ] && [ "$(cat $file)" = 0 ]; then echo kernel.unprivileged_userns_clone=1; fi
  file=/proc/sys/user/max_user_namespaces
  if [ -r $file ] && [ "$(cat $file)" = 0 ]; then echo user.max_user_namespaces=15000; fi
}

# AppArmor lets only named programs make user namespaces (Ubuntu), and no profile names rootlesskit.
apparmor_forbids() {
  local file=/proc/sys/kernel/apparmor_restrict_unprivileged_userns path
  path=$(command -v rootlesskit || echo /usr/bin/rootlesskit)
  [ -r $file ] && [ "$(cat $file)" = 1 ] &&
    ! [ -e /etc/apparmor.d/cntnr-rootlesskit ] && ! grep -qswF "$path" /etc/apparmor.d/*
}

# One line for each thing that only root can put right.
system_gaps() {
  local gap
  for gap in $(missing_packages); do echo "package $gap"; done
  for gap in $users $one_id_users; do
    id "$gap" >/dev/null 2>&1 || echo "user $gap"
  done
  for gap in $users; do
    has_range "$gap" /etc/subuid && has_range "$gap" /etc/subgid || echo "subordinate ids of $gap"
  done
  tun_is_open || echo "access to /dev/net/tun"
  for gap in $(userns_switch); do echo "kernel setting $gap"; done
  ! apparmor_forbids || echo "AppArmor profile of rootlesskit"
}

apt() {
  local try
  for try in 1 2 3 4; do
    if DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
      -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1; then return 0; fi
    [ "$try" = 4 ] || { say "apt-get $1 failed, trying again in $((try * 5)) s"; sleep $((try * 5)); }
  done
  tail -n 20 "$log" >&2
  fail "apt-get $* failed"
}

install_packages() {
  local packages package registry_was_there
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  # shellcheck disable=SC2086 # lists of words
  case $(manager) in
    dnf) say "installs" $packages; dnf -q -y install $packages || fail "dnf install failed"; return ;;
    pacman) say "installs" $packages; pacman -Sy --noconfirm --needed $packages || fail "pacman -S failed"; return ;;
    apt-get) ;;
    *) fail "this script knows apt-get, dnf and pacman; install with your package manager:" $packages ;;
  esac
  log=$(mktemp)
  registry_was_there=$(installed docker-registry && echo yes || true)
  for package in $packages; do
    say "installs $package: $(wanted | sed -n "s/^$package  *//p")"
  done
  apt update
  # shellcheck disable=SC2086 # a list of words
  apt install --no-install-recommends $packages
  rm -f "$log"
  # We want the program; a registry that listens on port 5000 was not asked for.
  if [ -z "$registry_was_there" ] && [ -d /run/systemd/system ]; then
    systemctl disable --now docker-registry >/dev/null 2>&1 || true
  fi
}

open_tun() {
  tun_is_open && return 0
  say "opens /dev/net/tun to everybody, as udev does: slirp4netns needs it"
  mkdir -p /dev/net
  [ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200 || fail "there is no /dev/net/tun and it cannot be made here"
  chmod 0666 /dev/net/tun
}

load_profile() {
  local profile=/etc/apparmor.d/cntnr-rootlesskit
  say "gives AppArmor a profile that lets rootlesskit make user namespaces ($profile)"
  install -m 644 contrib/apparmor/cntnr-rootlesskit $profile
  apparmor_parser -r $profile || { rm -f $profile; fail "AppArmor does not take contrib/apparmor/cntnr-rootlesskit"; }
}

allow_user_namespaces() {
  local setting
  if apparmor_forbids; then load_profile; fi
  for setting in $(userns_switch); do
    say "sets $setting: ordinary users may make user namespaces (undo: remove /etc/sysctl.d/60-cntnr.conf)"
    sysctl -q -w "$setting" || fail "cannot set $setting; is this a container? Set it on its host"
    mkdir -p /etc/sysctl.d
    grep -qxF "$setting" /etc/sysctl.d/60-cntnr.conf 2>/dev/null || echo "$setting" >>/etc/sysctl.d/60-cntnr.conf
  done
}

make_user() {
  local user=$1 start
  if ! id "$user" >/dev/null 2>&1; then
    say "makes the user $user, without a password, to run containers as"
    useradd --create-home --shell /bin/bash "$user"
  fi
  touch /etc/subuid /etc/subgid
  if ! has_range "$user" /etc/subuid || ! has_range "$user" /etc/subgid; then
    start=$(awk -F: 'BEGIN { top = 100000 } $2 + $3 > top { top = $2 + $3 } END { print top }' /etc/subuid /etc/subgid)
    say "gives $user the subordinate ids $start to $((start + 65535))"
    has_range "$user" /etc/subuid || usermod --add-subuids "$start-$((start + 65535))" "$user"
    has_range "$user" /etc/subgid || usermod --add-subgids "$start-$((start + 65535))" "$user"
  fi
}

make_one_id_user() {
  if ! id "$1" >/dev/null 2>&1; then
    say "makes the user $1, without subordinate ids, to run containers of one id as"
    useradd --create-home --shell /bin/bash -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 "$1"
  fi
}

system() {
  local gaps user
  gaps=$(system_gaps)
  if [ -z "$gaps" ]; then
    say "system: nothing to do"
  elif [ "$(id -u)" = 0 ]; then
    install_packages
    for user in $users; do make_user "$user"; done
    for user in $one_id_users; do make_one_id_user "$user"; done
    open_tun
    allow_user_namespaces
    say "system: ready"
  else
    echo "$gaps" | sed 's/^/setup: missing: /'
    local again="env CNTNR_SETUP_USER=$users $root/contrib/setup/install.sh --system"
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      say "asks sudo for the system part"
      sudo $again || fail "sudo refused; an administrator must run: $again"
    else
      fail "an administrator must run this as root: $again"
    fi
  fi
}

virtual_environment() {
  local python stamp
  python=$(find_python)
  [ -n "$python" ] || fail "there is no Python 3.11 or newer; set PYTHON=/path/to/python3"
  stamp=$({ cat pyproject.toml; "$python" -VV; pwd; } | sha256sum | cut -c1-32)
  if [ "$(cat .venv/cntnr-stamp 2>/dev/null)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
    say ".venv: nothing to do"
    return
  fi
  # Kept where it is the same Python: somebody may be at work in it.
  if [ "$(.venv/bin/python -VV 2>/dev/null)" != "$("$python" -VV)" ] || ! .venv/bin/pip --version >/dev/null 2>&1; then
    say "makes .venv with $python ($("$python" -V))"
    rm -rf .venv
    "$python" -m venv .venv
  fi
  say "installs cntnr and its development tools into .venv"
  local try
  for try in 1 2 3; do
    if .venv/bin/pip install -q --disable-pip-version-check --root-user-action=ignore -e '.[dev]'; then
      echo "$stamp" >.venv/cntnr-stamp
      return
    fi
    sleep $((try * 3))
  done
  fail "pip could not install the libraries named in pyproject.toml"
}

case $part in
  all) system; virtual_environment ;;
  --system) system ;;
  --venv) virtual_environment ;;
  --packages) named_packages ;;
  *) fail "unknown option $part (see the head of $0)" ;;
esac
