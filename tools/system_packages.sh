#!/usr/bin/env bash
# Installs the programs that some tests need and pip cannot bring, on Debian and Ubuntu: Chromium, Redis, PostgreSQL 15
# and the client `docker compose`. What is there already is left alone; no service is started.
set -euo pipefail

OLDEST_POSTGRES=/usr/lib/postgresql/15/bin/postgres
POLICY=/usr/sbin/policy-rc.d

main() {
    local -a missing=()
    found chromium chromium-browser google-chrome || missing+=(chromium fonts-liberation)
    found redis-server || missing+=(redis-server)
    [ -x "$OLDEST_POSTGRES" ] || missing+=(postgresql-15)
    if [ ${#missing[@]} = 0 ] && compose_answers; then
        return
    fi
    if ! found apt-get; then
        echo "This is no Debian or Ubuntu. Install by other means: ${missing[*]} $(compose_answers || echo docker-compose)" >&2
        exit 1
    fi

    work=$(mktemp -d)
    # apt downloads as a user of its own.
    chmod 755 "$work"
    trap clean_up EXIT
    start_no_service
    apt_get update
    if [ ${#missing[@]} != 0 ]; then
        echo "Installing ${missing[*]} ..."
        apt_get install --yes --no-install-recommends "${missing[@]}"
        keep_from_starting_at_boot "${missing[@]}"
    fi
    compose_answers || install_compose
}

found() {
    local name
    for name in "$@"; do
        if command -v "$name" >/dev/null; then return 0; fi
    done
    return 1
}

compose_answers() {
    docker compose version >/dev/null 2>&1 || docker-compose version 2>/dev/null | grep -q 'version v\?[2-9]'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$work/apt.log" 2>&1 ||
        { cat "$work/apt.log" >&2; exit 1; }
}

# The tests start servers of their own. dpkg asks this program before it starts a service.
start_no_service() {
    if [ ! -e "$POLICY" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
        as_root chmod +x "$POLICY"
        touch "$work/made-policy"
    fi
}

keep_from_starting_at_boot() {
    local package
    if [ -d /run/systemd/system ]; then
        for package in "$@"; do
            case $package in
                redis-server) as_root systemctl --quiet disable redis-server ;;
                postgresql-*) as_root systemctl --quiet disable postgresql ;;
            esac
        done
    fi
}

install_compose() {
    local package mirror
    echo "Installing the client docker compose ..."
    # Ubuntu calls it docker-compose-v2. Debian's docker-compose is version 2 from Debian 13 on.
    for package in docker-compose-v2 docker-compose; do
        if apt-cache policy "$package" | grep -q 'Candidate: [2-9]'; then
            apt_get install --yes --no-install-recommends "$package"
            return
        fi
    done
    # Debian 12 has version 1 only, another program. The package of Debian 13 fits, and needs nothing else of it.
    # shellcheck disable=SC2016  # apt fills these in
    mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
    if [ -z "$mirror" ]; then
        echo "apt has no docker compose of version 2 here: install the package docker-compose-plugin of Docker's own" >&2
        exit 1
    fi
    mkdir -p "$work/lists/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
    local -a only_there=(
        -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists"
    )
    apt_get "${only_there[@]}" update
    apt_get "${only_there[@]}" install --yes --no-install-recommends docker-compose
}

clean_up() {
    if [ -e "$work/made-policy" ]; then as_root rm -f "$POLICY"; fi
    as_root rm -rf "$work"
}

main
