# Shared by the scripts beside it; sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
build=${BIOPTIC_BUILD:-$root/build}

say() { printf '\n== %s\n' "$*"; }

# download_size PACKAGE...: what apt would download for them, in MB.
download_size() {
  apt-get install --print-uris -y -qq --no-install-recommends "$@" |
    awk '{ bytes += $3 } END { printf "%.0f MB", bytes / 1e6 }'
}

# install_packages KIND...: installs what is missing of those kinds in scripts/packages.txt.
install_packages() {
  local wanted=() missing=() kind name
  while read -r kind name; do
    [[ " $* " == *" $kind "* ]] && wanted+=("$name")
  done < <(grep -v '^#' scripts/packages.txt)
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system, so nothing is installed for you. bioptic needs the libraries that"
    echo "these Debian 12 packages hold; install your distribution's own, then run this again:"
    printf '  %s\n' "${wanted[@]}"
    echo "Going on; the build will say what it does not find."
    return 0
  fi
  for name in "${wanted[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  say "Installing ${#missing[@]} packages: ${missing[*]}"
  local sudo=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || {
      echo "These packages are missing and this is neither root nor is there sudo. As root, run:" >&2
      echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
      return 1
    }
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -qq
  echo "apt downloads $(download_size "${missing[@]}"); the packages stay installed."
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build_program TARGET... [-- OPTION...]: configures, with those options of CMake, and builds a release build in
# $build.
build_program() {
  local targets=()
  while (($#)) && [[ $1 != -- ]]; do targets+=("$1") && shift; done
  shift $(($# > 0))
  say "Building in $build"
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@"
  cmake --build "$build" --target "${targets[@]}"
}
