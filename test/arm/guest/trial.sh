# Runs in the guest as root, once before the reboot and once after it. Answers on the virtio port `trial`.
exec 3>/dev/virtio-ports/trial
. /run/trial/answers.sh
. /run/trial/network.sh

connect_attackers
if [ -e /var/lib/trial-rebooted ]; then
  . /run/trial/after-reboot.sh
  answer end
  systemctl poweroff
else
  . /run/trial/before-reboot.sh
  touch /var/lib/trial-rebooted
  sync
  systemctl reboot
fi
