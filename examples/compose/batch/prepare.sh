#!/bin/sh
# Put the static busybox of this machine into the build context. Debian: apt-get install busybox-static
set -eu
busybox=$(command -v busybox || command -v /bin/busybox || true)
if [ -z "$busybox" ]; then
  echo "cannot find busybox; on Debian and Ubuntu: apt-get install busybox-static" >&2
  exit 1
fi
cp -f "$busybox" "$(dirname "$0")/busybox"
