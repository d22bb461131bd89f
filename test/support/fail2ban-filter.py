# Runs filters of an unpacked fail2ban on lines, with fail2ban's own objects and as its server does: the first pattern that matches counts.
#
#   python3 fail2ban-filter.py FOLDER < TASKS > RESULTS
#
# A task is a line of JSON: {"name": "sshd", "options": {"mode": "aggressive"}, "journal": false, "now": 1124013600, "lines": ["…"]}.
# Its result is a line of JSON: for each line the host, null, or "slow".

import json
import logging
import signal
import sys
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from fail2ban.client.filterreader import FilterReader
from fail2ban.server.filter import Filter
from fail2ban.server.mytime import MyTime

SETTERS = {
    "addfailregex": lambda watcher, value: watcher.addFailRegex(value),
    "addignoreregex": lambda watcher, value: watcher.addIgnoreRegex(value),
    "maxlines": lambda watcher, value: watcher.setMaxLines(value),
    "datepattern": lambda watcher, value: watcher.setDatePattern(value),
}


def watcher_of(task):
    watcher = Filter(None)
    watcher.returnRawHost = True
    watcher.checkFindTime = False
    watcher.active = True
    reader = FilterReader(task["name"], "jail", dict(task["options"]), basedir=sys.argv[1], share_config={})
    reader.read()
    reader.getOptions({})
    for option in reader.convert():
        for value in option[3] if option[0] == "multi-set" else [option[3]]:
            if option[2] == "prefregex":
                watcher.prefRegex = value
            elif option[2] in SETTERS:
                SETTERS[option[2]](watcher, value)
    return watcher


def host_in(watcher, line, task):
    text = ("", "2005-08-14 10:00:00", line) if task["journal"] else line
    signal.alarm(PATIENCE)
    try:
        found = watcher.processLine(text, task["now"]) if task["journal"] else watcher.processLine(text)
    except TooSlow:
        return "slow"
    except Exception:  # of a zone that does not exist: its server logs the line as an error
        return None
    finally:
        signal.alarm(0)
    return str(found[0][1]) if found else None


class TooSlow(BaseException):
    """A pattern takes more than some seconds on a line: several of fail2ban's take exponential time."""


def give_up(number, frame):
    raise TooSlow


PATIENCE = 2
signal.signal(signal.SIGALRM, give_up)

for text in sys.stdin:
    task = json.loads(text)
    MyTime.setTime(task["now"])
    watcher = watcher_of(task)
    print(json.dumps([host_in(watcher, line, task) for line in task["lines"]]), flush=True)
