import type { CompiledApi } from "../declare/compile.ts";
import type { ResourceModel } from "../declare/model.ts";
import type { Operation } from "../declare/operation.ts";
import { Ledger } from "../idempotency/ledger.ts";
import { Queue } from "../jobs/queue.ts";
import type { Engine } from "../store/port.ts";
import { Rows } from "../store/rows.ts";

/** Where an API is served. Plain data: the writer thread has to know it too. */
export interface Place {
  /** Path in front of every operation: `/api`, or nothing. */
  readonly base: string;
  /** Path in front of the framework's own pages (`/docs`, `/problems/…`). */
  readonly pages: string;
}

/** An API, compiled, at its place, with the statements for its engine: what stages work with. */
export interface Serving {
  readonly api: CompiledApi;
  readonly place: Place;
  readonly rows: ReadonlyMap<ResourceModel, Rows>;
  /** What the dialect can answer in. */
  readonly mediaTypes: readonly string[];
  readonly ledger: Ledger;
  readonly queue: Queue;
  /** Where each operation stands in the API: its name on the way to the writer. */
  readonly numbers: ReadonlyMap<Operation, number>;
}

export function serving(api: CompiledApi, place: Place, engine: Engine): Serving {
  const rows = new Map(api.resources.map((resource) => [resource, new Rows(resource, engine)]));
  const numbers = new Map(api.operations.map((operation, number) => [operation, number]));
  return Object.freeze({
    api,
    place,
    rows,
    mediaTypes: [api.dialect.mediaType],
    ledger: new Ledger(engine),
    queue: new Queue(engine),
    numbers,
  });
}

export function rowsOf(serving: Serving, resource: ResourceModel): Rows {
  return serving.rows.get(resource)!;
}
