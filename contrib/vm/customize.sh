#!/bin/bash
# Set the file system of a machine up: network, users, logins. mmdebstrap calls it: customize.sh ROOT SUITE KEY.PUB
set -euo pipefail
root=$1 suite=$2 key=$3

echo "$suite" >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$suite" >"$root/etc/hosts"
echo '/dev/vda / ext4 defaults,noatime 0 1' >"$root/etc/fstab"
printf '[Match]\nName=e*\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/50-dhcp.network"
chroot "$root" systemctl -q enable systemd-networkd systemd-resolved ssh
# Work that takes minutes without KVM, and that no row is about.
chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service

# Rows that want polkit rename this; without it D-Bus starts none, as where it is not installed.
service=$root/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service
mv "$service" "$service.off"

# dev administers; other is anybody; noids got no subordinate ids.
for user in dev other noids; do chroot "$root" useradd -m -s /bin/bash "$user"; done
chroot "$root" usermod -aG sudo,systemd-journal dev
echo 'dev ALL=(ALL) NOPASSWD:ALL' >"$root/etc/sudoers.d/dev"
sed -i '/^noids:/d' "$root/etc/subuid" "$root/etc/subgid"
for home in root home/dev home/other home/noids; do
  install -d -m 700 "$root/$home/.ssh"
  install -m 600 "$key" "$root/$home/.ssh/authorized_keys"
  chown -R --reference="$root/$home" "$root/$home/.ssh"
done

printf 'MODULES=list\n' >"$root/etc/initramfs-tools/conf.d/vm"
printf 'virtio_pci\nvirtio_blk\next4\n' >>"$root/etc/initramfs-tools/modules"
chroot "$root" update-initramfs -u
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
: >"$root/etc/machine-id" # a new one at the first boot
