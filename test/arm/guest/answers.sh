# How the guest answers: lines of fields with tabs between them.

answer() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >&3
}

# check SENTENCE COMMAND…: passes when the command succeeds.
check() {
  sentence=$1
  shift
  if output=$("$@" 2>&1); then
    answer passed "$sentence"
  else
    answer failed "$sentence" "$(printf '%s' "$output" | tail -n 15 | tr '\n\t' '; ')"
  fi
}

figure() {
  answer figure "$1" "$2"
}

# within SECONDS COMMAND…: tries again each second.
within() {
  deadline=$(($(seconds) + $1))
  shift
  until "$@"; do
    [ "$(seconds)" -lt "$deadline" ] || return 1
    sleep 1
  done
}

not() {
  ! "$@"
}

# Seconds since the boot.
seconds() {
  cut -d. -f1 /proc/uptime
}

# Milliseconds since the boot.
milliseconds() {
  awk '{ printf "%d", $1 * 1000 }' /proc/uptime
}

# Tells a memory figure of the daemon (VmRSS, VmHWM) in kB.
daemon_memory() {
  awk -v name="$1:" '$1 == name { print $2 }' "/proc/$(property MainPID)/status"
}

property() {
  systemctl show --value --property "$1" stoplog
}

# within_started SECONDS: systemd got READY=1. Otherwise prints the daemon's journal, which tells why not.
within_started() {
  within "$1" systemctl --quiet is-active stoplog && return
  journalctl --boot --unit stoplog --output short-monotonic --no-pager
  return 1
}

# From the start of the daemon's process until it says READY=1.
start_time() {
  from=$(property ExecMainStartTimestampMonotonic)
  to=$(property ActiveEnterTimestampMonotonic)
  echo $(((to - from) / 1000))
}
