"""Servers of one file by FTP (port 21, all four ways to a data connection) and TFTP (port 69)."""

import re
import socket
import socketserver
import sys
import threading

CONTENT = open(sys.argv[1], "rb").read()


class Ftp(socketserver.StreamRequestHandler):
    def handle(self):
        self.listener = None
        self.target = None
        self.say("220 ready")
        for line in self.rfile:
            command, _, argument = line.decode("latin1").strip().partition(" ")
            if command.upper() == "QUIT":
                self.say("221 bye")
                return
            getattr(self, command.upper(), self.unknown)(argument)

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode("latin1"))

    def unknown(self, _):
        self.say("502 not here")

    def USER(self, _):
        self.say("230 welcome")

    def PWD(self, _):
        self.say('257 "/"')

    def TYPE(self, _):
        self.say("200 as you like")

    def listen(self):
        self.target = None
        self.listener = socket.create_server((self.connection.getsockname()[0], 0))
        return self.listener.getsockname()

    def PASV(self, _):
        address, port = self.listen()
        self.say("227 Entering Passive Mode (%s,%d,%d)." % (address.replace(".", ","), port >> 8, port & 255))

    def EPSV(self, _):
        self.say("229 Entering Extended Passive Mode (|||%d|)" % self.listen()[1])

    def reach(self, address, port):
        # Nobody is connected to but who asks.
        if address != self.client_address[0]:
            self.say("504 that is not you")
            return
        self.listener = None
        self.target = (address, port)
        self.say("200 there")

    def PORT(self, argument):
        numbers = argument.split(",")
        self.reach(".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5]))

    def EPRT(self, argument):
        _, _, address, port, _ = argument.split(argument[0])
        self.reach(address, int(port))

    def RETR(self, _):
        self.say("150 here it comes")
        if self.target is None:
            data, _ = self.listener.accept()
        else:
            data = socket.socket()
            data.bind((self.connection.getsockname()[0], 0))
            data.connect(self.target)
        data.sendall(CONTENT)
        data.close()
        self.say("226 that was it")


class Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def tftp():
    requests = socket.socket(type=socket.SOCK_DGRAM)
    requests.bind(("", 69))
    while True:
        packet, client = requests.recvfrom(2048)
        if re.match(b"\0\1[^\0]+\0octet\0", packet, re.I) is None:
            continue
        data = socket.socket(type=socket.SOCK_DGRAM)
        data.settimeout(2)
        for block in range(len(CONTENT[:5000]) // 512 + 1):
            part = CONTENT[:5000][block * 512 : block * 512 + 512]
            data.sendto(b"\0\3" + (block + 1).to_bytes(2, "big") + part, client)
            try:
                data.recv(2048)
            except TimeoutError:
                break


threading.Thread(target=tftp, daemon=True).start()
server = Threads(("", 21), Ftp)
print("ready", flush=True)
server.serve_forever()
