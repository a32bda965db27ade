import { parseJson } from "../content/json.ts";
import { charsetOf, parseMediaType } from "../content/media-type.ts";
import type { Operation } from "../declare/operation.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { Problem } from "../kernel/problems.ts";
import { type Decoded, header, type Preconditioned } from "./exchange.ts";

const MAX_DEPTH = 64;

/** Reads the body, as what it says it is. A body of no known type is never guessed at. */
export async function decode(exchange: Preconditioned): Promise<Decoded> {
  const { operation } = exchange;
  if (operation.accepts.length === 0) return withoutBody(exchange);
  const mediaType = acceptedType(operation, header(exchange, "content-type"));
  const coding = header(exchange, "content-encoding")?.trim().toLowerCase();
  if (coding !== undefined && coding !== "identity" && coding !== "") {
    throw new Problem("unsupported-content-encoding", {
      detail: "The server reads bodies without Content-Encoding.",
      headers: { "accept-encoding": "identity" },
    });
  }
  const bytes = await exchange.readBody(operation.maxBodyBytes);
  const payload = parseJson(bytes, { maxDepth: MAX_DEPTH });
  return Object.assign(exchange, { mediaType, payload });
}

function withoutBody(exchange: Preconditioned): Decoded {
  const length = Number(header(exchange, "content-length") ?? 0);
  if (length > 0 || header(exchange, "transfer-encoding") !== undefined) {
    throw new Problem("unsupported-media-type", {
      detail: "This operation takes no body.",
      headers: { accept: "" },
    });
  }
  return Object.assign(exchange, { mediaType: "", payload: undefined });
}

function acceptedType(operation: Operation, contentType: string | undefined): string {
  if (contentType === undefined || contentType.trim() === "") {
    throw unsupported(operation, "The request has a body, or needs one, and no Content-Type.");
  }
  const mediaType = parseMediaType(contentType);
  if (mediaType === undefined)
    throw unsupported(operation, "The Content-Type is not a media type.");
  if (!operation.accepts.includes(mediaType.type)) {
    const suggestion = didYouMean(mediaType.type, operation.accepts);
    throw unsupported(operation, `The Content-Type is not one that is taken here.${suggestion}`);
  }
  const charset = charsetOf(mediaType);
  if (charset !== "utf-8") {
    // RFC 8259 section 8.1: JSON between systems is UTF-8.
    throw unsupported(operation, "JSON is UTF-8; the Content-Type names another charset.");
  }
  return mediaType.type;
}

function unsupported(operation: Operation, detail: string): Problem {
  const accepts = operation.accepts.join(", ");
  return new Problem("unsupported-media-type", {
    detail: `${detail} This operation takes ${accepts}.`,
    headers: { accept: accepts, ...acceptFields(operation) },
  });
}

/** RFC 5789 section 3.1 and W3C LDP section 7.1; PUT has none. */
function acceptFields({ method, accepts }: Operation): Record<string, string> {
  if (method === "POST") return { "accept-post": accepts.join(", ") };
  return method === "PATCH" ? { "accept-patch": accepts.join(", ") } : {};
}
