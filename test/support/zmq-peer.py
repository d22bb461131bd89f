# A libzmq peer, configured by its first argument (JSON). Frames go in and out as lists of hex, one message per line.
import json, sys, zmq

told = json.loads(sys.argv[1])
context = zmq.Context()
socket = context.socket({"pub": zmq.PUB, "sub": zmq.SUB}[told["kind"]])
socket.sndhwm = socket.rcvhwm = 0
socket.linger = 0
curve = told.get("curve")
if curve:
    socket.curve_secretkey = curve["secretKey"].encode()
    socket.curve_publickey = curve["publicKey"].encode()
    if "serverKey" in curve:
        socket.curve_serverkey = curve["serverKey"].encode()
    else:
        socket.curve_server = True
for topic in told.get("topics", []):
    socket.subscribe(topic.encode())
for endpoint in told.get("bind", []):
    socket.bind(endpoint)
for endpoint in told.get("connect", []):
    socket.connect(endpoint)
print("ready", flush=True)

if told["kind"] == "pub":
    for line in sys.stdin:
        socket.send_multipart([bytes.fromhex(frame) for frame in json.loads(line)])
else:
    while True:
        print(json.dumps([frame.hex() for frame in socket.recv_multipart()]), flush=True)
