import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly secure: boolean;
  readonly user: unknown;
}

export interface Receiver {
  readonly port: number;
  readonly mails: readonly Received[];
  /** Connections that were opened so far. */
  connections(): number;
}

/** An SMTP server on the loopback for one test. Its own certificate is trusted by nobody. */
export async function receiveMail(
  t: TestContext,
  options: SMTPServerOptions = {},
): Promise<Receiver> {
  const mails: Received[] = [];
  let connections = 0;
  const server = new SMTPServer({
    // Without it, it warns of a certificate that is meant to be refused.
    logger: false,
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 200,
    onConnect(_session, done) {
      connections += 1;
      done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString("utf8"),
          secure: session.secure,
          user: session.user,
        });
        done();
      });
    },
    ...options,
  });
  // A client that refuses the certificate is an error of the server as well.
  server.on("error", () => {});
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  t.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: portOf(server.server), mails, connections: () => connections };
}

/** A server that accepts connections and does with them what the test says. */
export async function acceptOnly(
  t: TestContext,
  accepted: (socket: Socket) => void,
): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    accepted(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

function portOf(server: Pick<Server, "address">): number {
  return (server.address() as AddressInfo).port;
}
