# The second boot: the bans must be back without a hand.

check "after the reboot the unit runs by itself" within_started 600
check "the attacker is in nftables again" within 60 in_kernel $ATTACKER
check "6,000 addresses of the flood are in nftables again" within 60 all_flooders_in_kernel
check "packets of the attacker are dropped again" not reaches $ATTACKER
check "packets of its neighbour are answered still" within 30 reaches $NEIGHBOUR
figure "start to watching, in the boot (ms)" "$(start_time)"
figure "resident after the reboot, 6,001 bans (kB)" "$(daemon_memory VmRSS)"
check "stoplog unban lets it in" stoplog unban $ATTACKER
check "packets of the attacker are answered after it" within 30 reaches $ATTACKER

systemctl stop stoplog
check "a stop leaves the bans in force" all_flooders_in_kernel
check "the package is purged" dpkg --purge stoplog
bans_left() {
  [ -n "$(nft list ruleset)" ]
}
check "no rule is left in the kernel" not bans_left
answer log "$(journalctl --boot --unit stoplog --output cat --no-pager | tail -n 40 | tr '\n\t' '| ')"
