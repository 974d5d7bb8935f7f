"""A mail server for tests: speaks enough SMTP to take letters, and can be told to refuse."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.message import Message


class MailServer:
    """Takes mails on a loopback port; ``letters`` keeps what arrived."""

    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.refusing = False
        server = self

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 test")
                body: list[bytes] | None = None
                for line in self.rfile:
                    if body is not None:
                        if line.rstrip(b"\r\n") == b".":
                            server.letters.append(message_from_bytes(b"".join(body)))
                            body = None
                            self.say("250 kept")
                        else:
                            body.append(line[1:] if line.startswith(b"..") else line)
                        continue
                    verb = line.split()[0].upper() if line.split() else b""
                    if verb == b"DATA":
                        body = []
                        self.say("354 go on")
                    elif verb == b"QUIT":
                        self.say("221 bye")
                        return
                    elif verb == b"RCPT" and server.refusing:
                        self.say("451 later")
                    else:
                        self.say("250 ok")

            def say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
