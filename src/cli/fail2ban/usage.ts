/** The commands of fail2ban's client that Stoplog carries out. */
export const USAGE = `Usage: fail2ban-client [OPTIONS] <COMMAND>

Stoplog's answer to fail2ban's commands. What a command changes holds until the next reload.

Options:
    -s, --socket <FILE>                  Stoplog's control socket (fail2ban's own is ignored)
    -t, --test                           check Stoplog's configuration
    -c, -p, -x, -b, -f, -v, -q           taken, without effect
    --str2sec <TIME>                     print a duration in seconds
    -h, --help; -V, --version

Command:
    ping; version; flushlogs
    status [<JAIL> [short] | --all]
    banned [<IP> ...]
    unban --all | <IP> ...
    reload [--unban] [--if-exists] [<JAIL>]
    start <JAIL>; stop <JAIL> | --all
    set loglevel <LEVEL>
    get loglevel | logtarget | syslogsocket | dbfile | dbpurgeage
    set <JAIL> banip <IP> ... | unbanip [--report-absent] <IP> ...
    set <JAIL> addignoreip <IP> ... | delignoreip <IP> | ignoreself true|false
    set <JAIL> bantime <TIME> | findtime <TIME> | maxretry <NUMBER>
    get <JAIL> banned [<IP> ...] | banip [<SEPARATOR>|--with-time]
    get <JAIL> bantime | findtime | maxretry | ignoreip | ignoreself | usedns
    get <JAIL> logpath | journalmatch | failregex | ignoreregex | datepattern | actions`;
