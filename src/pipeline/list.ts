import { parseQuery } from "../content/query.ts";
import { readPage } from "../store/pages.ts";
import type { Answer } from "./answer.ts";
import { type Located, resourceOf } from "./exchange.ts";
import { encodeCursor, readListQuery } from "./list-query.ts";
import { assertParents } from "./parents.ts";
import { caching } from "./read.ts";
import { visibleRecord } from "./representation.ts";
import { rowsOf } from "./serving.ts";

/** GET and HEAD of a collection: one page, and where the next one is. */
export async function readList(exchange: Located): Promise<Answer> {
  const { serving, parentIds, reader, path, search } = exchange;
  const resource = resourceOf(exchange);
  const { dialect } = serving.api;
  const query = readListQuery(resource, dialect, parseQuery(search));
  await assertParents(serving, resource, parentIds, reader);
  const page = await readPage(reader, rowsOf(serving, resource), {
    ...query,
    parentId: parentIds.at(-1),
  });
  const headers: Record<string, string> = {
    "content-type": dialect.mediaType,
    ...caching(exchange),
  };
  let next: string | undefined;
  if (page.next !== undefined) {
    const parameters = query.parameters.filter(({ name }) => name !== "cursor");
    const pairs = [
      ...parameters,
      { name: "cursor", value: encodeCursor(query.sort, page.next) },
    ].map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    next = `${path}?${pairs.join("&")}`;
    headers.link = `<${next}>; rel="next"`;
  }
  const records = page.rows.map((row) => visibleRecord(resource, dialect, row));
  const body = JSON.stringify(dialect.list({ records, next }, resource.name));
  return { status: 200, headers, body, problem: undefined };
}
