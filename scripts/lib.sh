# What the scripts share. To be read with "." from a script that stands in the top folder.

# Installs those packages of scripts/packages that are listed for the purposes given and missing: packages_ensure build
# test. Asks nothing; needs root or sudo only when something is missing.
packages_ensure() {
    missing=
    while read -r purpose package instead; do
        case " $* " in
        *" $purpose "*) ;;
        *) continue ;;
        esac
        [ -z "$instead" ] || ! command -v "$instead" >/dev/null || continue
        case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in
        ii*) ;;
        *) missing="$missing $package" ;;
        esac
    done <scripts/packages
    [ -n "$missing" ] || return 0

    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "these packages are missing, and there is no sudo to install them with:$missing" >&2
            return 1
        }
        as_root="sudo -n"
    fi
    echo "installing:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq >&2
    # dpkg-preconfigure and maintainers' scripts see the variable through sudo too.
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 $missing >&2
}

# Configures a build folder when it is not yet, and brings "configure" up to date:
# build_configure FOLDER [ARGUMENTS of configure]
build_configure() {
    folder=$1
    shift
    [ -x configure ] && [ configure -nt configure.ac ] || autoreconf -fi >&2 || return 1
    [ -f "$folder/Makefile" ] && return 0
    mkdir -p "$folder"
    (cd "$folder" && ../configure -q "$@" >&2)
}

jobs() {
    nproc 2>/dev/null || echo 2
}
