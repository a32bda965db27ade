import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import type { TestContext } from "node:test";
import type { Certificate } from "./certificate.ts";

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly port: number;
  readonly requests: readonly Received[];
  /** Connections that were opened, and those that are still open. */
  readonly connections: { opened: number; open: number };
}

interface ReceiverOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly certificate?: Certificate;
}

/** Takes webhooks on the loopback for one test, and answers 204 unless told otherwise. */
export async function receiveWebhooks(
  t: TestContext,
  answer: RequestListener = (_request, response) => response.writeHead(204).end(),
  { host = "127.0.0.1", certificate }: ReceiverOptions = {},
): Promise<Receiver> {
  const requests: Received[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  };
  const server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
  const connections = watch(t, server);
  server.listen(0, host);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, requests, connections };
}

/** A server below HTTP, that does with connections what the test says. */
export async function acceptOnly(
  t: TestContext,
  accepted: (socket: Socket) => void,
): Promise<Omit<Receiver, "requests">> {
  const server = createTcpServer(accepted);
  const connections = watch(t, server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, connections };
}

function watch(t: TestContext, server: Server): Receiver["connections"] {
  const connections = { opened: 0, open: 0 };
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections.opened += 1;
    connections.open += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      connections.open -= 1;
    });
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return connections;
}
