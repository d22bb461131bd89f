# The installed fail2ban's filter alone: its own objects in a loop over a file's lines, without server,
# database, actions and log. Loads a filter of the package, or takes a pattern.
#
#   python3 fail2ban-filter.py '{"path": ..., "end": ..., "filter": "sshd" | null, "failregex": null | "...", "maxretry": 5}'

import ipaddress
import json
import logging
import resource
import sys
import time

logging.disable(logging.CRITICAL)

from fail2ban.client.filterreader import FilterReader
from fail2ban.server.filter import Filter
from fail2ban.server.mytime import MyTime


class Jail:
    """The part of a jail that a filter needs: a place for addresses with too many failures."""

    name = "bench"
    database = None

    def __init__(self):
        self.banned = set()

    def putFailTicket(self, ticket):
        self.banned.add(str(ticket.getID()))


task = json.loads(sys.argv[1])
jail = Jail()
watcher = Filter(jail)
watcher.setUseDns("no")
watcher.setMaxRetry(task["maxretry"])
watcher.setFindTime(86400)
watcher.ignoreSelf = False

if task["filter"] is not None:
    reader = FilterReader(task["filter"], "bench", {}, basedir="/etc/fail2ban")
    reader.read()
    reader.applyAutoOptions("polling")
    reader.getOptions(None)
    for option in reader.convert():
        values = option[3] if option[0] == "multi-set" else option[3:]
        for value in values:
            if option[2] == "prefregex":
                watcher.prefRegex = value
            elif option[2] == "addfailregex":
                watcher.addFailRegex(value)
            elif option[2] == "addignoreregex":
                watcher.addIgnoreRegex(value)
            elif option[2] == "maxlines":
                watcher.setMaxLines(value)
            elif option[2] == "datepattern":
                watcher.setDatePattern(value)
else:
    watcher.addFailRegex(task["failregex"])

# The addresses that it finds, summed up as in the other engines. Its clock is the end of the file.
seen = {"failures": 0, "addressSum": 0}
count = watcher.failManager.addFailure


def counted(ticket, *args, **kwargs):
    seen["failures"] += 1
    address = int(ipaddress.ip_address(str(ticket.getID())))
    seen["addressSum"] = (seen["addressSum"] + (address & 0xFFFFFFFF)) & 0xFFFFFFFF
    return count(ticket, *args, **kwargs)


watcher.failManager.addFailure = counted
MyTime.setTime(task["end"] / 1000 + 1)

before = resource.getrusage(resource.RUSAGE_SELF)
started = time.monotonic()
lines = 0
with open(task["path"], encoding="utf-8", errors="replace") as log:
    for line in log:
        lines += 1
        watcher.processLineAndAdd(line.rstrip("\n"))
wall = time.monotonic() - started
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps({**seen, "lines": lines, "wallMs": wall * 1000, "cpuMs": cpu * 1000, "banned": len(jail.banned)}))
