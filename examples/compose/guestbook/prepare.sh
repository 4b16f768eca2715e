#!/bin/sh
# Make the base file system from packages of this Debian or Ubuntu, and a password, once.
# Needs mmdebstrap and subordinate ids for the user; no root.
set -eu
cd "$(dirname "$0")"
fixtures=${CNTNR_FIXTURE_MAKER:-../../../contrib/fixtures/make.py}
[ -s rootfs.tar ] || python3 "$fixtures" rootfs --out rootfs.tar
if [ ! -s db_password.txt ]; then
  tr -dc a-zA-Z0-9 </dev/urandom | head -c 24 >db_password.txt
  chmod 644 db_password.txt # read in the container by the service's own user
fi
