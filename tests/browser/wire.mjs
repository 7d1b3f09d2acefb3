// A wire between the browser and the service that can be cut.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Wire {
  static async to(port) {
    const wire = new Wire();
    wire.pairs = new Set();
    wire.server = createServer((near) => {
      if (wire.down) return near.destroy();
      const far = connect(wire.port ?? port, "127.0.0.1");
      const pair = [near, far];
      wire.pairs.add(pair);
      for (const end of pair) {
        end.on("error", () => {});
        end.on("close", () => { pair.forEach((e) => e.destroy()); wire.pairs.delete(pair); });
      }
      near.pipe(far).pipe(near);
    });
    await once(wire.server.listen(0, "127.0.0.1"), "listening");
    wire.base = `http://127.0.0.1:${wire.server.address().port}`;
    return wire;
  }
  cut() {
    this.down = true;
    for (const pair of this.pairs) pair.forEach((end) => end.destroy());
  }
  mend() {
    this.down = false;
  }
  close() {
    this.cut();
    this.server.close();
  }
}
