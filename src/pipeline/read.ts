import { evaluateConditions } from "../content/conditions.ts";
import { Problem } from "../kernel/problems.ts";
import type { Answer } from "./answer.ts";
import { header, type Located, type Negotiated, resourceOf } from "./exchange.ts";
import { assertParents, belongs } from "./parents.ts";
import { entityTag, recordAnswer, validators } from "./representation.ts";
import { rowsOf } from "./serving.ts";

/** GET and HEAD of one record. */
export async function readRecord(exchange: Located): Promise<Answer> {
  const { serving, parentIds, id, reader } = exchange;
  const resource = resourceOf(exchange);
  if (resource.parents.length > 1) await assertParents(serving, resource, parentIds, reader);
  const row = await rowsOf(serving, resource).find(reader, id!);
  if (row === undefined || !belongs(resource, row, parentIds.at(-1)))
    throw new Problem("not-found");
  const outcome = evaluateConditions(
    "GET",
    {
      "if-match": header(exchange, "if-match"),
      "if-none-match": header(exchange, "if-none-match"),
      "if-modified-since": header(exchange, "if-modified-since"),
      "if-unmodified-since": header(exchange, "if-unmodified-since"),
    },
    { etag: entityTag(row), lastModified: row.updatedAt },
  );
  if (outcome === "precondition-failed") throw new Problem("precondition-failed");
  if (outcome === "not-modified") {
    const headers = { ...validators(row), ...caching(exchange) };
    return { status: 304, headers, body: undefined, problem: undefined };
  }
  const answer = recordAnswer(serving, {
    status: 200,
    resource,
    row,
    location: undefined,
    returns: undefined,
    shown: true,
  });
  return { ...answer, headers: { ...answer.headers, ...caching(exchange) } };
}

/** Records change: a cache may keep them, and has to ask each time (RFC 9111 section 5.2.2.4). */
export function caching({ principal, serving }: Negotiated): Record<string, string> {
  const headers: Record<string, string> = {
    "cache-control": principal === null ? "no-cache" : "private, no-cache",
  };
  if (serving.api.schemes.length > 0) headers.vary = "Authorization";
  return headers;
}
