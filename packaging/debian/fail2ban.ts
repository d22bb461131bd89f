import { join } from "node:path";
import { LIBRARY } from "../contents.ts";
import { type Folders, MAINTAINER, type Recipe } from "../recipe.ts";
import { Tree } from "../tree.ts";
import { debianVersion } from "./control.ts";
import { packDeb } from "./pack.ts";

export const FAIL2BAN_NAME = "stoplog-fail2ban";

/** Makes the package with fail2ban's programs: links to Stoplog, and the folder of fail2ban's socket. Returns its path. */
export function makeFail2banDeb(recipe: Recipe, { work, out }: Folders): string {
  const tree = new Tree(join(work, `${FAIL2BAN_NAME}_${recipe.revision}`));
  for (const program of ["fail2ban-client", "fail2ban-regex"])
    tree.link(`usr/bin/${program}`, `../${LIBRARY.replace("usr/", "")}/bin/stoplog`);
  tree.write("usr/lib/systemd/system/stoplog.service.d/fail2ban.conf", DROP_IN);
  tree.write(`usr/share/doc/${FAIL2BAN_NAME}/copyright`, COPYRIGHT);
  tree.settle(new Set(), recipe.epoch);
  const file = join(out, `${FAIL2BAN_NAME}_${debianVersion(recipe)}_all.deb`);
  return packDeb(tree, file, recipe, (size) => ({
    control: control(recipe, size),
    postinst: RELOAD_UNITS,
    postrm: RELOAD_UNITS,
  }));
}

/** It conflicts with fail2ban, whose programs it has, and does not provide it: a package that needs fail2ban may need its files in /etc. */
function control(recipe: Recipe, size: number): string {
  return `Package: ${FAIL2BAN_NAME}
Version: ${debianVersion(recipe)}
Architecture: all
Maintainer: ${MAINTAINER}
Installed-Size: ${size}
Depends: stoplog (>= ${recipe.version}) | stoplog-standalone (>= ${recipe.version})
Conflicts: fail2ban
Section: net
Priority: optional
Description: fail2ban-client and fail2ban-regex that speak to Stoplog
 The commands of fail2ban's client, for scripts and exporters that call them,
 and the folder of fail2ban's socket, which api.fail2ban_socket in
 stoplog.yaml opens. They contain nothing of fail2ban.
`;
}

/** Empty until the configuration names a socket there. */
const DROP_IN = `[Service]
RuntimeDirectory=fail2ban
`;

const RELOAD_UNITS = `#!/bin/sh
set -e
# The drop-in came or went. It takes effect at the next start of the service.
[ ! -d /run/systemd/system ] || systemctl daemon-reload || true
`;

const COPYRIGHT = `Copyright of Stoplog: its authors.

Licensed under the Apache License, version 2.0; on Debian it is in /usr/share/common-licenses/Apache-2.0.
`;
