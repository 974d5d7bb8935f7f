# Sourced by test: system_parts makes sure of the programs the tests check our results with. As root with apt they are installed; otherwise they
# must be there, and a missing one fails with a sentence: no test is skipped for want of a part.

have() { command -v "$1" >/dev/null 2>&1; }

find_chromium() {
  for candidate in "${MOTCUA_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$candidate" ] && have "$candidate" && { command -v "$candidate"; return 0; }
  done
  find "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}" -type f \( -name chrome -o -name headless_shell \) 2>/dev/null | sort | tail -n 1 | grep .
}

find_softhsm() {
  find /usr/lib /usr/local/lib /opt/homebrew/lib -name 'libsofthsm2.*' 2>/dev/null | head -n 1 | grep .
}

system_parts() {
  missing=
  find_chromium >/dev/null || missing="$missing chromium"
  have pdfsig || missing="$missing poppler-utils"
  have openssl || missing="$missing openssl"
  have qpdf || missing="$missing qpdf"
  have gs || missing="$missing ghostscript"
  have mutool || missing="$missing mupdf-tools"
  have xmlsec1 || missing="$missing xmlsec1"
  find_softhsm >/dev/null || missing="$missing softhsm2"
  # Several hundred megabytes for the honest documents it makes: only where every test runs.
  if [ "${FULL:-no}" = yes ]; then have soffice || missing="$missing libreoffice-writer-nogui"; fi
  if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && have apt-get; then
    say "System packages:$missing …"
    # shellcheck disable=SC2086  # a list of packages
    timed fetch sh -c "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing"
    missing=
  fi
  case "$missing" in
    *chromium*)
      say "Chromium …"
      if .venv/bin/playwright install chromium >.venv/playwright.log 2>&1; then missing=$(printf '%s' "$missing" | sed 's/ chromium//'); fi ;;
  esac
  if [ -n "$missing" ]; then
    fail "the tests need these programs, which are not installed:$missing (Debian, Ubuntu: sudo apt install$missing)"
  fi
  MOTCUA_BROWSER=$(find_chromium)
  MOTCUA_SOFTHSM=$(find_softhsm)
  export MOTCUA_BROWSER MOTCUA_SOFTHSM
}
