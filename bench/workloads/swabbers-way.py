# Swabber's work for each ban, with the same programs: lists all rules, then inserts one. Prints seconds, and seconds of CPU.
import resource, subprocess, sys, time

count = int(sys.argv[1])
started = time.monotonic()
for i in range(count):
    subprocess.run(["iptables", "-L", "-n"], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(
        ["iptables", "-w", "-I", "INPUT", "-s", "10.0.%d.%d" % (i >> 8, i & 255), "-j", "DROP"]
        + ["-m", "comment", "--comment", "swabber:%d" % time.time()],
        check=True,
    )
children = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.monotonic() - started, children.ru_utime + children.ru_stime)
