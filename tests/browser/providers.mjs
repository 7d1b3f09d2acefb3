// tools/fakeprovider for the browser: it plays the providers' side of a consent.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const PLAYED = ["github", "linear"];
const PROGRAM = new URL("../../tools/fakeprovider", import.meta.url).pathname;

export class Providers {
  static async start() {
    const played = new Providers();
    // Debian's own python has the yaml of the package that tools/setup installs.
    played.process = spawn("/usr/bin/python3", ["-B", PROGRAM, "--providers", PLAYED.join(",")], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface(played.process.stdout), "line");
    Object.assign(played, JSON.parse(line));
    played.origins = Object.values(played.providers);
    return played;
  }
  /// What makes the service take these for the providers.
  settings() {
    return Object.fromEntries(PLAYED.flatMap((slug) => [["CLIENT_ID", slug], ["CLIENT_SECRET", slug + "-secret"],
      ["OAUTH_BASE", this.providers[slug]], ["API_BASE", this.providers[slug]]]
      .map(([name, value]) => [`POBLYSH_${slug.toUpperCase()}_${name}`, value])));
  }
  /// An order of its control API (docs/fakeprovider.md).
  async tell(order, members) {
    const answer = await fetch(`http://127.0.0.1:${this.port}/control/${order}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(members) });
    if (!answer.ok) throw new Error(`${order}: ${answer.status} ${await answer.text()}`);
  }
  /// The connection of a team's person who consents; the account is called `account`.
  async consent(team, provider, account) {
    const { authorize_url } = await team.call("POST", `/connect/${provider}`);
    const away = await fetch(`${authorize_url}&account=${account}`, { redirect: "manual" });
    const { connection } = await (await fetch(away.headers.get("location"))).json();
    return connection;
  }
  async close() {
    this.process.kill();
    await once(this.process, "exit");
  }
}
