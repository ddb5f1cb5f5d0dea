#!/bin/sh
# Puts the files beside it where they belong on this VM and starts the agent. `reconciler vm bootstrap` writes it with them.
#
#   sh join.sh                   as root; again, with new tokens, is fine
#   ROOT=/some/folder sh join.sh puts everything below that folder and starts nothing
#
# Tokens that have found their place are removed here.
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)
root=${ROOT:-}
agent=reconciler-agent
state=/var/lib/$agent

say() { echo "join: $*"; }
fail() { say "$*" >&2; exit 1; }

# own USER PATH...: nobody's business but that user's
own() {
    user=$1
    shift
    [ -n "$root" ] || chown "$user:" "$@"
}

# put MODE FILE PLACE
put() {
    mkdir -p "$root$(dirname "$3")"
    install -m "$1" "$here/$2" "$root$3"
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || fail "Python 3.9 or later is needed (python3)"
if [ -z "$root" ]; then
    [ "$(id -u)" = 0 ] || fail "must be run as root"
    id "$agent" >/dev/null 2>&1 || useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin "$agent"
fi

# Istio's files, where its package for VMs reads them
put 644 root-cert.pem /etc/certs/root-cert.pem
put 600 cluster.env /var/lib/istio/envoy/cluster.env
put 644 mesh.yaml /etc/istio/config/mesh
mkdir -p "$root/etc/istio/proxy"
if [ -f "$here/istio-token" ]; then
    mkdir -p "$root/var/run/secrets/tokens"
    chmod 700 "$root/var/run/secrets/tokens"
    put 600 istio-token /var/run/secrets/tokens/istio-token
    rm -f "$here/istio-token"
fi
if id istio-proxy >/dev/null 2>&1; then
    own istio-proxy "$root/etc/certs" "$root/etc/certs/root-cert.pem" "$root/etc/istio/proxy" "$root/etc/istio/config" \
        "$root/etc/istio/config/mesh" "$root/var/lib/istio/envoy" "$root/var/lib/istio/envoy/cluster.env"
    [ ! -d "$root/var/run/secrets/tokens" ] || chown -R istio-proxy: "$root/var/run/secrets/tokens"
else
    say "no user istio-proxy here: install Istio's sidecar for VMs, then run this again"
fi
if [ -s "$here/hosts" ]; then
    mark="# by mesh-reconciler"
    mkdir -p "$root/etc"
    touch "$root/etc/hosts"
    { grep -v "$mark\$" "$root/etc/hosts" || true; sed "s|\$| $mark|" "$here/hosts"; } >"$root/etc/hosts.new"
    cat "$root/etc/hosts.new" >"$root/etc/hosts" # in place: containers bind it
    rm -f "$root/etc/hosts.new"
fi

# the agent
put 755 reconciler-agent.pyz "/usr/local/lib/$agent/reconciler-agent.pyz"
put 644 reconciler-agent.service "/etc/systemd/system/$agent.service"
put 644 agent.json "/etc/$agent/agent.json"
[ ! -f "$here/registry-ca.pem" ] || put 644 registry-ca.pem "/etc/$agent/registry-ca.pem"
mkdir -p "$root$state/tokens"
chmod 700 "$root$state" "$root$state/tokens"
own "$agent" "$root$state" "$root$state/tokens"
if [ -f "$here/join-token" ]; then
    # under a name that the agent passes over until the file is whole and its own
    put 600 join-token "$state/tokens/.new"
    own "$agent" "$root$state/tokens/.new"
    mv "$root$state/tokens/.new" "$root$state/tokens/$(date +%s)"
    rm -f "$here/join-token"
fi
[ -z "$root" ] || { say "done, below $root"; exit 0; }

systemctl daemon-reload
if systemctl is-active --quiet "$agent"; then
    systemctl kill --signal=SIGINT "$agent" # systemd starts the new one, and the VM does not leave the mesh in between
fi
systemctl enable --now "$agent"
say "the agent runs; its log: journalctl -u $agent"
