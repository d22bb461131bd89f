/** Printed behind all bans. */
export const LAST_LINE = "end";

/**
 * Prints the bans in fail2ban's database: [jail, address, time, bantime, count] a line, the oldest first. Opened for reading. SQLite itself waits
 * for a writer and reads the write-ahead log. Where it would have to write first, to undo what a writer left half done, it works on a
 * private copy.
 */
export const DATABASE_SCRIPT = `
import json, os, shutil, sys, tempfile
try:
    import sqlite3
    from urllib.parse import quote
except ImportError as error:
    sys.exit("python3 lacks a module: %s" % error)
path, most = sys.argv[1], int(sys.argv[2])

def rows(file, mode):
    base = sqlite3.connect("file:%s?mode=%s" % (quote(os.path.abspath(file)), mode), uri=True, timeout=5)
    base.text_factory = lambda data: data.decode("utf-8", "replace")
    tables = {row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "bips" in tables:
        query = "SELECT jail, ip, timeofban, bantime, bancount FROM bips"
    elif "bans" in tables:
        names = {row[1] for row in base.execute("PRAGMA table_info(bans)")}
        length = "bantime" if "bantime" in names else "-2"
        query = "SELECT jail, ip, max(timeofban), %s, count(*) FROM bans GROUP BY jail, ip" % length
    else:
        sys.exit("not a database of fail2ban: it has no table of bans")
    return base.execute(query + " ORDER BY 3 LIMIT ?", (most,)).fetchall()

def copied():
    folder = tempfile.mkdtemp(prefix="stoplog-")
    try:
        for end in ("", "-wal", "-journal"):
            if os.path.exists(path + end):
                shutil.copyfile(path + end, os.path.join(folder, "bans" + end))
        return rows(os.path.join(folder, "bans"), "rw")
    finally:
        shutil.rmtree(folder)

try:
    try:
        found = rows(path, "ro")
    except sqlite3.OperationalError as error:
        half = any(os.path.exists(path + end) for end in ("-wal", "-journal"))
        if "locked" in str(error) or not half:
            raise
        found = copied()
except (sqlite3.Error, OSError) as error:
    sys.exit(str(error))
for row in found:
    print(json.dumps(row, default=str))
print("${LAST_LINE}")
`;
