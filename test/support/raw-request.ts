import { type IncomingHttpHeaders, request } from "node:http";

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether the server asked for the body with `100 Continue`. */
  readonly continued: boolean;
}

export interface RawRequest {
  readonly method: string;
  /** As it goes over the wire: no normalisation, no prefix. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in chunks, unless `content-length` is among the headers. */
  readonly body?: string;
}

/** Sends what `fetch` would refuse or mend: any method, any path, any header. */
export function rawRequest(
  origin: string,
  { method, path, headers = {}, body }: RawRequest,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    let continued = false;
    const sending = request({ hostname, port, method, path, headers, agent: false });
    const waits = Object.keys(headers).some((name) => name.toLowerCase() === "expect");
    sending.on("continue", () => {
      continued = true;
      sending.end(body);
    });
    sending.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
          continued,
        });
        sending.destroy();
      });
      response.on("error", reject);
    });
    sending.on("error", reject);
    if (waits) sending.flushHeaders();
    else sending.end(body);
  });
}
