// A way to a server that can be cut: what goes wrong between a browser and a server that is well.

import net from 'node:net';

export class Forwarder {
  #sockets = new Set();
  #isCut = false;

  // Begins to take connections to a free port, and passes them on to that one.
  static async start(port) {
    const forwarder = new Forwarder();
    forwarder.listener = net.createServer((socket) => forwarder.#pass(socket, port));
    await new Promise((resolve) => forwarder.listener.listen(0, '127.0.0.1', resolve));
    forwarder.port = forwarder.listener.address().port;
    return forwarder;
  }

  // Every connection ends, and none comes about until `mend`.
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  stop() {
    this.cut();
    this.listener.close();
  }

  #pass(socket, port) {
    if (this.#isCut) return socket.destroy();
    const onward = net.connect(port, '127.0.0.1');
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ]) {
      this.#sockets.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        this.#sockets.delete(end);
        other.destroy();
      });
      end.pipe(other);
    }
  }
}
