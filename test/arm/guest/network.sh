# Attackers behind a link, in a network namespace of the guest.

SERVER=198.51.100.1
ATTACKER=198.51.100.66
NEIGHBOUR=198.51.100.67

connect_attackers() {
  ip netns add attackers
  ip link add server0 type veth peer name attacker0 netns attackers
  ip address add $SERVER/24 dev server0
  ip link set server0 up
  for address in $ATTACKER $NEIGHBOUR; do
    ip -n attackers address add $address/24 dev attacker0
  done
  ip -n attackers link set attacker0 up
}

# Whether one of three packets of an address reaches the server and is answered.
reaches() {
  ip netns exec attackers ping -q -c 3 -W 5 -I "$1" $SERVER
}

in_kernel() {
  nft list ruleset | grep -qw "$1"
}

# How many addresses of the flood the kernel holds.
flooders_in_kernel() {
  nft list ruleset | grep -o '198\.18\.[0-9]*\.[0-9]*' | sort -u | wc -l
}

all_flooders_in_kernel() {
  [ "$(flooders_in_kernel)" -eq 6000 ]
}
