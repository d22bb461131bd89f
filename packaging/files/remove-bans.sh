# A stop leaves the bans in force. This runs as the unit does: as an ordinary user with one privilege.
if getent passwd stoplog >/dev/null; then
  STATE_DIRECTORY=/var/lib/stoplog timeout 60 \
    setpriv --reuid=stoplog --regid=stoplog --init-groups --no-new-privs --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin \
    /usr/bin/stoplog --socket /run/stoplog/remove.sock run --flush >/dev/null 2>&1 ||
    echo "stoplog: Cannot remove the bans from the kernel; those that are not permanent expire by themselves" >&2
fi
