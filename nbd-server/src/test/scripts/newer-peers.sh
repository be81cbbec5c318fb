#!/bin/sh
# Unpacks the NBD tools of Debian 13 (QEMU 10, libnbd 1.22, nbdkit 1.42: extended headers) into a folder of their own, for use by
# chroot. Touches nothing else of the system. Usage: newer-peers.sh FOLDER
set -e
test -e "$1/complete" && exit 0
mkdir -p "$1"
cd "$1"
folder=$PWD
mkdir -p etc lists/partial cache/archives/partial root
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" > etc/sources.list
: > status
apt="apt-get -q -o Dir::Etc::SourceList=$folder/etc/sources.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$folder/lists
    -o Dir::Cache=$folder/cache -o Dir::State::status=$folder/status"
$apt update
$apt -y --no-install-recommends -d install qemu-utils libnbd-bin python3-libnbd nbdkit coreutils dash
# The links of a merged /usr, which the installer of a system makes.
for part in bin sbin lib lib64; do
    mkdir -p root/usr/$part
    ln -sfn usr/$part root/$part
done
for package in cache/archives/*.deb; do
    dpkg-deb -x "$package" root
done
rm -rf cache lists
mkdir -p root/dev root/tmp
mknod -m 666 root/dev/null c 1 3
mknod -m 666 root/dev/urandom c 1 9
chroot root /usr/bin/nbdinfo --version
chroot root /usr/bin/qemu-img --version
touch complete
