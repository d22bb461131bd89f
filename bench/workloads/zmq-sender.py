# An ØMQ publisher that writes the protocol's bytes itself (ZMTP 3.0): libzmq's own would limit the measurement. Waits for one subscriber.
#   zmq-sender.py PORT swabber COUNT            all at once, one address per message
#   zmq-sender.py PORT batches COUNT            all at once, a thousand JSON orders per message
#   zmq-sender.py PORT paced COUNT MICROSECONDS one address after another; prints each with its time of sending
import socket, sys, time

port, kind, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def address(i):
    return "10.%d.%d.%d" % (i >> 16 & 255, i >> 8 & 255, i & 255)


def frame(flags, body):
    long = len(body) > 255
    return bytes([flags | (2 if long else 0)]) + len(body).to_bytes(8 if long else 1, "big") + body


def ban(i):
    return frame(1, b"swabber_bans") + frame(0, address(i).encode())


if kind == "swabber":
    all = b"".join(ban(i) for i in range(count))
elif kind == "batches":
    all = b"".join(
        frame(1, b"stoplog_orders")
        + frame(0, "\n".join('{"address":"%s"}' % address(i) for i in range(first, min(first + 1000, count))).encode())
        for first in range(0, count, 1000)
    )
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen(1)
peer, _ = server.accept()
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
peer.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48))
said = b""
while len(said) < 64:
    said += peer.recv(64)
peer.sendall(bytes.fromhex("04190552454144590b536f636b65742d5479706500000003505542"))
time.sleep(0.5)
print("ready", flush=True)
sys.stdin.readline()
print(time.monotonic_ns(), flush=True)
if kind == "paced":
    due = time.monotonic()
    for i in range(count):
        due += int(sys.argv[4]) / 1e6
        time.sleep(max(0, due - time.monotonic()))
        print(time.monotonic_ns(), address(i))
        peer.sendall(ban(i))
    print("end", flush=True)
else:
    peer.sendall(all)
sys.stdin.readline()
