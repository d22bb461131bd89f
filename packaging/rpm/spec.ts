import { description, packageName, type Recipe, SUMMARY } from "../recipe.ts";

/** The specification of an .rpm whose files are below `tree`. Nothing is derived from this machine. */
export function specFile(recipe: Recipe, tree: string, removeBans: string): string {
  const { version, revision } = recipe;
  return `${MACROS}
%global _binary_payload ${recipe.fast ? "w1.gzdio" : "w1.xzdio"}
Name: ${packageName(recipe)}
Version: ${version}
Release: ${revision}
Summary: ${SUMMARY.charAt(0).toUpperCase()}${SUMMARY.slice(1)}
License: Apache-2.0 AND MIT AND ISC AND MPL-2.0
AutoReqProv: no
Requires: glibc >= 2.28, libstdc++, systemd, util-linux
Conflicts: stoplog

%description
${description(recipe).join("\n\n")}

%install
cp -a ${tree}/. %{buildroot}/

%post
systemd-sysusers stoplog.conf
systemd-tmpfiles --create stoplog.conf || :
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  [ "$1" -gt 1 ] || systemctl preset stoplog.service || :
fi

%preun
[ "$1" -eq 0 ] || exit 0
[ ! -d /run/systemd/system ] || systemctl disable --now stoplog.service || :
${removeBans}
%postun
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  [ "$1" -eq 0 ] || systemctl try-restart stoplog.service || :
fi

%files
%config(noreplace) /etc/stoplog/stoplog.yaml
%doc /usr/share/doc/${packageName(recipe)}
/usr/bin/stoplog
/usr/lib/stoplog
/usr/lib/systemd/system/stoplog.service
/usr/lib/sysusers.d/stoplog.conf
/usr/lib/tmpfiles.d/stoplog.conf
/usr/share/bash-completion/completions/stoplog
/usr/share/fish/vendor_completions.d/stoplog.fish
/usr/share/zsh/site-functions/_stoplog
/usr/share/man/man1/*
/usr/share/man/man5/*
`;
}

/** The times and the host are fixed; xz at level 1, as in the .deb; the files are already stripped and compressed. */
const MACROS = `%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global source_date_epoch_from_changelog 0
%global _buildhost localhost
%global __os_install_post %{nil}
%global _build_id_links none
%global debug_package %{nil}
%global _dbpath %{_topdir}/db`;
