import { isJsonObject, type Json } from "../kernel/json.ts";
import type { Sample } from "./fresh.ts";
import { type Answer, jsonOf, type Request, succeeded } from "./message.ts";
import type { ListClaim } from "./operation.ts";

/** At most so many pages are read for one count. */
const MOST_PAGES = 60;

/**
 * How many records a list shows that carry the mark of a sample.
 *
 * A parameter of the list with the name of a marked member is used as a filter; without one, every
 * page is read, as far as `Link: <…>; rel="next"` (RFC 8288) leads.
 *
 * @returns `undefined` where the list can't be read.
 */
export async function countOf(
  sample: Sample,
  { url, list, get }: { url: URL; list: ListClaim; get(url: URL): Promise<Answer> },
): Promise<number | undefined> {
  const filter = Object.entries(sample.value).find(
    ([name, value]) =>
      list.parameters.includes(name) && typeof value === "string" && value.includes(sample.token),
  );
  let next: URL | undefined = new URL(url);
  if (filter !== undefined) next.searchParams.set(filter[0], String(filter[1]));
  if (list.limit !== undefined) next.searchParams.set(list.limit.name, String(list.limit.maximum));
  let count = 0;
  for (let page = 0; next !== undefined; page++) {
    if (page === MOST_PAGES) return undefined;
    const answer: Answer = await get(next);
    const records = recordsOf(jsonOf(answer));
    if (!succeeded(answer) || records === undefined) return undefined;
    count += records.filter((record) => JSON.stringify(record).includes(sample.token)).length;
    next = nextOf(answer, next);
  }
  return count;
}

/** The list itself, or the one list that is a member of an object: `{ "items": [ … ] }`. */
function recordsOf(body: unknown): readonly Json[] | undefined {
  if (Array.isArray(body)) return body;
  if (!isJsonObject(body)) return undefined;
  return Object.values(body).find((member): member is readonly Json[] => Array.isArray(member));
}

function nextOf(answer: Answer, from: URL): URL | undefined {
  const link = answer.headers.get("link") ?? "";
  const target = /<([^>]*)>(?:\s*;[^,<]*)?;\s*rel="?next\b/i.exec(link)?.[1];
  if (target === undefined || !URL.canParse(target, from)) return undefined;
  const next = new URL(target, from);
  return next.origin === from.origin ? next : undefined;
}

/** What an answer names as the record that it made: the path of its Location, or else its id. */
export function identityOf(answer: Answer, request: Pick<Request, "url">): string | undefined {
  return locationOf(answer, request) ?? identifierIn(jsonOf(answer));
}

/** The path of Location. */
export function locationOf(answer: Answer, { url }: Pick<Request, "url">): string | undefined {
  const location = answer.headers.get("location");
  if (location === undefined || !URL.canParse(location, url)) return undefined;
  return new URL(location, url).pathname;
}

/** `id 7`, where a body has a member that is usually the id. */
export function identifierIn(body: unknown): string | undefined {
  if (!isJsonObject(body)) return undefined;
  const id = body.id ?? body._id ?? body.uuid;
  return typeof id === "string" || typeof id === "number" ? `id ${id}` : undefined;
}
