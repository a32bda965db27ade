import type { Kysely } from "kysely";

/**
 * The database inside the transaction of the request: Kysely over the tables as they are. Only
 * the database may be awaited there; whatever was done is rolled back with the request.
 */
export type TransactionSql = Kysely<Record<string, Record<string, unknown>>>;
