import type { ResourceModel } from "../declare/model.ts";
import type { ResourceOperation } from "../declare/operation.ts";
import type { IdKind } from "../declare/resource.ts";
import { Problem } from "../kernel/problems.ts";
import type { RowId } from "../store/rows.ts";
import type { Located, Negotiated } from "./exchange.ts";

const INTEGER = /^[1-9][0-9]{0,15}$/;
/** RFC 9562 section 4: read without regard to case, stored and shown in lower case. */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
// "." and ".." would be resolved away by clients (RFC 3986 section 5.2.4).
const CLIENT_CHOSEN = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/;

/** Reads the ids in the path. What can't be an id names nothing: 404, and no look at the database. */
export function locate(exchange: Negotiated): Located {
  // The table of lives leads only operations of resources here.
  const operation = exchange.operation as ResourceOperation;
  return Object.assign(exchange, { operation, ...idsIn(exchange.params, operation.resource) });
}

export function idsIn(
  params: Readonly<Record<string, string>>,
  { parents, idKind }: ResourceModel,
): { readonly parentIds: readonly RowId[]; readonly id: RowId | undefined } {
  const parentIds = parents.map(({ wireName, resource }) =>
    readId(params[wireName], resource.idKind),
  );
  return { parentIds, id: params.id === undefined ? undefined : readId(params.id, idKind) };
}

function readId(text: string | undefined, kind: IdKind): RowId {
  if (text !== undefined) {
    if (kind === "integer") {
      const id = Number(text);
      if (INTEGER.test(text) && Number.isSafeInteger(id)) return id;
    } else if (kind === "uuid") {
      if (UUID.test(text)) return text.toLowerCase();
    } else if (CLIENT_CHOSEN.test(text)) {
      return text;
    }
  }
  throw new Problem("not-found");
}
