import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { FrontFault } from "./planted.ts";

const mend: Record<FrontFault, (text: string) => string> = {
  "two lengths are one": (text) =>
    text.replace(/(Content-Length: \d+\r\n)Content-Length: \d+\r\n/i, "$1"),
  "white space before a colon is mended": (text) => text.replace(/^([\w-]+) :/m, "$1:"),
  "control characters are mended": (text) => text.replaceAll("\x01", "-"),
};

/** A proxy that mends what it should refuse, on the way to a server. */
export async function front(
  t: { after(clean: () => void): void },
  origin: string,
  fault: FrontFault,
): Promise<string> {
  const { hostname, port } = new URL(origin);
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const behind = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    client.on("data", (bytes) => behind.write(mend[fault](bytes.toString("latin1")), "latin1"));
    client.on("end", () => behind.end());
    behind.pipe(client);
    client.on("error", () => behind.destroy());
    client.on("close", () => behind.destroy());
    behind.on("error", () => client.destroy());
    behind.on("close", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
