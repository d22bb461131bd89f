import { guest, PEOPLE, pid, port, type Service, USERS } from "./service.ts";

/** OpenSSH 9 through syslog, with the other lines of auth.log. */
export const sshd: Service = {
  filter: "sshd",
  failure(stamp, address, random) {
    const unknown = random.below(2) === 0 ? "invalid user " : "";
    const head = `${stamp.syslog} bastion sshd[${pid(random)}]: `;
    return `${head}Failed password for ${unknown}${random.pick(USERS)} from ${address} port ${port(random)} ssh2`;
  },
  noise(stamp, random) {
    const head = `${stamp.syslog} bastion `;
    const person = random.pick(PEOPLE);
    const n = pid(random);
    switch (random.below(8)) {
      case 0:
        return `${head}sshd[${n}]: pam_unix(sshd:session): session opened for user ${person}(uid=1000) by (uid=0)`;
      case 1:
        return `${head}sshd[${n}]: pam_unix(sshd:session): session closed for user ${person}`;
      case 2:
        return `${head}sshd[${n}]: Received disconnect from ${guest(random)} port ${port(random)}:11: disconnected by user`;
      case 3:
        return `${head}sshd[${n}]: Disconnected from user ${person} ${guest(random)} port ${port(random)}`;
      case 4:
        return `${head}CRON[${n}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)`;
      case 5:
        return `${head}systemd-logind[612]: New session ${random.below(90_000)} of user ${person}.`;
      case 6:
        return `${head}sudo:    ${person} : TTY=pts/${random.below(9)} ; PWD=/home/${person} ; USER=root ; COMMAND=/usr/bin/apt update`;
      default:
        return `${head}sshd[${n}]: Connection from ${guest(random)} port ${port(random)} on 192.0.2.10 port 22 rdomain ""`;
    }
  },
};
