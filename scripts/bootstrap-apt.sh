#!/bin/bash
# Installs the given Debian packages as root, with no service started and no PostgreSQL cluster made.
# Whatever policy-rc.d and createcluster.conf the machine had is back afterwards, also when apt fails.
set -euo pipefail

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf
saved=.before-pingan

exec 9>/var/lock/pingan-apt.lock
flock -w 900 9 || { echo "another bootstrap has held /var/lock/pingan-apt.lock for 15 minutes" >&2; exit 1; }

restore() {
    if [ -e "$policy$saved" ]; then mv -f "$policy$saved" "$policy"
    elif [ -e "$policy" ] && grep -q 'pingan bootstrap' "$policy"; then rm -f "$policy"; fi
    if [ -e "$clusters$saved" ]; then mv -f "$clusters$saved" "$clusters"; fi
}
restore                      # an earlier bootstrap may have been killed
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -e "$policy" ] || [ -L "$policy" ]; then cp -a "$policy" "$policy$saved"; fi
rm -f "$policy"
printf '#!/bin/sh\n# pingan bootstrap: nothing is started while it installs\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold)
install=("${apt[@]}" install --no-install-recommends)

echo "==> apt-get update"
"${apt[@]}" update
if [ ! -e "$clusters" ]; then
    echo "==> apt-get install postgresql-common"
    "${install[@]}" postgresql-common
fi
cp -a "$clusters" "$clusters$saved"
echo 'create_main_cluster = false' >>"$clusters"
echo "==> apt-get install $*"
"${install[@]}" "$@"
