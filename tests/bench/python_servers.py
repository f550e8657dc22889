#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What Python offers for a small service: python_servers.py forking|threading|asyncio|twisted echo|daytime PORT"""

import asyncio
import socketserver
import sys
import time

how, what, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def daytime():
    return time.strftime("%d %b %Y %H:%M:%S %Z\r\n").encode()


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


class Daytime(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(daytime())


def serve_by(mixin):
    class Server(mixin, socketserver.TCPServer):
        allow_reuse_address = True
        daemon_threads = True
        max_children = 1000
        request_queue_size = 4096

    with Server(("127.0.0.1", port), Echo if what == "echo" else Daytime) as server:
        server.serve_forever()


class AsyncEcho(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class AsyncDaytime(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(daytime())
        transport.close()


async def serve_async():
    loop = asyncio.get_running_loop()
    kind = AsyncEcho if what == "echo" else AsyncDaytime
    server = await loop.create_server(kind, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def serve_twisted():
    from twisted.internet import epollreactor

    epollreactor.install()
    from twisted.internet import protocol, reactor

    class TwistedEcho(protocol.Protocol):
        def dataReceived(self, data):
            self.transport.write(data)

    class TwistedDaytime(protocol.Protocol):
        def connectionMade(self):
            self.transport.write(daytime())
            self.transport.loseConnection()

    factory = protocol.Factory.forProtocol(TwistedEcho if what == "echo" else TwistedDaytime)
    reactor.listenTCP(port, factory, backlog=4096, interface="127.0.0.1")
    reactor.run()


if how == "forking":
    serve_by(socketserver.ForkingMixIn)
elif how == "threading":
    serve_by(socketserver.ThreadingMixIn)
elif how == "asyncio":
    asyncio.run(serve_async())
else:
    serve_twisted()
