# The first boot: installs the package, bans an attacker of the journal, then a flood of a file.

figure machine "$(uname -m), Linux $(uname -r), $(. /etc/os-release && echo "$PRETTY_NAME"), Node.js $(node --version)"
figure memory "$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) kB"
check "before: packets of the attacker are answered" within 30 reaches $ATTACKER

# The package as it is, with the configuration that it brings.
began=$(milliseconds)
check "dpkg installs the package" dpkg --install /run/trial/stoplog.deb
figure "installed and started (ms)" $(($(milliseconds) - began))
check "systemd started the unit: it said READY=1" within_started 0
check "the unit is enabled for the next boot" systemctl --quiet is-enabled stoplog

has() {
  grep -q "^$1:[[:space:]]*$2" "/proc/$(property MainPID)/status"
}
check "its only privilege is CAP_NET_ADMIN" has CapEff 0000000000001000
check "it cannot get others" has NoNewPrivs 1
check "its system calls are filtered" has Seccomp 2
runs_as_user() {
  [ "$(stat -c %U "/proc/$(property MainPID)")" = stoplog ]
}
check "it runs as the user stoplog" runs_as_user
check "stoplog status answers" stoplog status
no_trouble() {
  # Advice alone also ends with status 1.
  found=$(stoplog doctor) || echo "$found" | grep '^0 troubles' || echo "$found" | grep -v '^ok'
}
check "stoplog doctor finds no trouble" no_trouble
sleep 20
figure "resident at rest, journal (kB)" "$(daemon_memory VmRSS)"

# A line of sshd's, in the journal, from the unit ssh.service.
failures='for number in 1 2 3 4 5; do echo "Failed password for root from '$ATTACKER' port 40022 ssh2"; done; sleep 3'
began=$(milliseconds)
check "a log-in failed five times" systemd-run --quiet --unit ssh.service -p SyslogIdentifier=sshd sh -c "$failures"
check "the attacker is in nftables" within 60 in_kernel $ATTACKER
figure "five failures in the journal to the ban (ms)" $(($(milliseconds) - began))
check "packets of the attacker are dropped" not reaches $ATTACKER
check "packets of its neighbour are answered" within 30 reaches $NEIGHBOUR
check "stoplog list names it" sh -c "stoplog list | grep -qw $ATTACKER"

# A file, as with rsyslog; the reload keeps the ban.
install -m 640 -o root -g adm /dev/null /var/log/auth.log
cp /run/trial/stoplog.yaml /etc/stoplog/stoplog.yaml
check "systemctl reload takes the new configuration" systemctl reload stoplog
watches_file() {
  stoplog status --json | grep -q auth
}
check "the daemon follows the file" within 60 watches_file
check "the ban outlives the reload" in_kernel $ATTACKER
systemctl restart stoplog
sleep 20
figure "start to watching, machine idle (ms)" "$(start_time)"
figure "resident at rest, file (kB)" "$(daemon_memory VmRSS)"
figure "peak of a start, file (kB)" "$(daemon_memory VmHWM)"
check "the ban outlives a restart" in_kernel $ATTACKER

# 30,000 failures of 6,000 addresses: a tenth of the flood of docs/performance.md, since the processor is emulated.
awk -v now="$(date --utc +%Y-%m-%dT%H:%M:%S+00:00)" 'BEGIN {
  for (round = 0; round < 5; round++)
    for (each = 0; each < 6000; each++)
      printf "%s host sshd[4711]: Failed password for root from 198.18.%d.%d port 40022 ssh2\n", now, each / 250, each % 250 + 1
}' > /var/tmp/flood
used=$(property CPUUsageNSec)
began=$(milliseconds)
cat /var/tmp/flood >> /var/log/auth.log
check "6,000 addresses of the flood are in nftables" within 600 all_flooders_in_kernel
figure "flood of 30,000 lines to the last ban (ms)" $(($(milliseconds) - began))
sleep 20
figure "CPU for the flood (ms)" $((($(property CPUUsageNSec) - used) / 1000000))
figure "resident after the flood (kB)" "$(daemon_memory VmRSS)"
figure "peak of the flood (kB)" "$(daemon_memory VmHWM)"
no_restart() {
  [ "$(property NRestarts)" = 0 ]
}
check "the daemon never fell over: systemd restarted nothing" no_restart
answer log "$(journalctl --unit stoplog --output cat --no-pager | tail -n 40 | tr '\n\t' '| ')"
