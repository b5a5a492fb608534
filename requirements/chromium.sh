#!/bin/sh
# The desk's tests drive a real browser: Debian's Chromium, or another one that is on the PATH. Where there is none and
# no package manager that has it, those tests are skipped and the others run.
for program in chromium chromium-browser google-chrome; do
  command -v "$program" >/dev/null 2>&1 && exit 0
done

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null 2>&1 && $as_root true 2>/dev/null; then
  echo "installing Chromium for the desk's tests"
  $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends \
    chromium fonts-liberation >/dev/null && exit 0
fi
echo "There is no Chromium here: install it by your package manager, or the desk's tests in the browser are skipped."
