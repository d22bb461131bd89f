# The same poisoned lines for Python's regular expressions, which fail2ban uses.
#
#   python3 worst-line.py '{"patterns": [...], "lines": "FILE"}'        patterns with <HOST>

import json
import re
import sys
import time

task = json.loads(sys.argv[1])
patterns = [re.compile(pattern.replace("<HOST>", r"(?P<host>[0-9a-fA-F.:]+)")) for pattern in task["patterns"]]
with open(task["lines"], encoding="latin-1") as file:
    lines = file.read().split("\n")

worst = {"lines": len(lines), "worstMs": 0.0, "line": ""}
for line in lines:
    # Printed first, in case the line never ends.
    started = time.perf_counter()
    for pattern in patterns:
        pattern.search(line)
    took = (time.perf_counter() - started) * 1000
    if took > worst["worstMs"]:
        worst = {**worst, "worstMs": took, "line": line[:120]}
        print(json.dumps(worst), flush=True)
print(json.dumps(worst), flush=True)
