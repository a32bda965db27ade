import type { Dialect } from "../declare/dialect.ts";
import type { ResourceModel } from "../declare/model.ts";
import type { Operation, ResourceOperation } from "../declare/operation.ts";
import { comparableFields } from "../pipeline/list-query.ts";
import { comparisons } from "../store/pages.ts";
import { idSchema } from "./openapi-schemas.ts";

type Parameter = Readonly<Record<string, unknown>>;

export function parametersOf(operation: ResourceOperation, dialect: Dialect): Parameter[] {
  const { resource, kind, path } = operation;
  const places = recordParameters(resource).filter(
    ({ name }) => name !== "id" || path.endsWith("/{id}"),
  );
  const makes = kind === "replace" && resource.idKind === "client";
  const names = makes ? [...headerNames[kind], ifNothing] : headerNames[kind];
  const headers = names.map(([name, description]) => ({
    name,
    in: "header",
    ...(name === "If-Match" && resource.ifMatch === "required" && !makes ? { required: true } : {}),
    description,
    schema: { type: "string" },
  }));
  const query = kind === "list" ? listParameters(operation, dialect) : [];
  return [...places, ...query, ...keyParameter(operation), ...headers];
}

/** What the path of a record names. */
export function recordParameters(resource: ResourceModel): Parameter[] {
  const parents = resource.parents.map((parent) =>
    pathParameter(
      parent.wireName,
      `Id of one of the ${parent.resource.name}.`,
      idSchema(parent.resource, false),
    ),
  );
  const id = pathParameter("id", `Id of one of the ${resource.name}.`, idSchema(resource, false));
  return [...parents, id];
}

/** The draft has no schema for a String; most clients send the bare key. */
export function keyParameter({ idempotency: { key, keepMs } }: Operation): Parameter[] {
  if (key === "ignored") return [];
  return [
    {
      name: "Idempotency-Key",
      in: "header",
      ...(key === "required" ? { required: true } : {}),
      description: `Makes the request safe to repeat: the same key with the same request gets the first answer again, for ${inWords(keepMs)}; with another request it is refused. Take a new UUID for each new request (draft-ietf-httpapi-idempotency-key-header-07).`,
      schema: { type: "string", minLength: 1, maxLength: 257 },
      example: "8e03978e-40d5-43e8-bc93-6894a57f9324",
    },
  ];
}

const timeUnits = [
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

function inWords(milliseconds: number): string {
  const [name, size] = timeUnits.find(([, each]) => milliseconds % each === 0) ?? [
    "millisecond",
    1,
  ];
  const count = milliseconds / size;
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

const ifNothing = ["If-None-Match", "`*` only makes a record, and overwrites none."] as const;
const ifMatch = ["If-Match", "The `ETag` that the record must still have."] as const;
const ifNoneMatch = [
  "If-None-Match",
  "The `ETag` that is known already; 304 while it stays.",
] as const;
const prefer = ["Prefer", "`return=minimal` for an answer without the record (RFC 7240)."] as const;

const headerNames: Record<ResourceOperation["kind"], readonly (readonly [string, string])[]> = {
  create: [prefer],
  list: [],
  read: [ifNoneMatch],
  replace: [ifMatch, prefer],
  patch: [ifMatch, prefer],
  delete: [ifMatch],
};

function pathParameter(name: string, description: string, schema: unknown): Parameter {
  return { name, in: "path", required: true, description, schema };
}

function listParameters({ resource }: ResourceOperation, dialect: Dialect): Parameter[] {
  const filters = [...comparableFields(resource, dialect, resource.filter)].flatMap(
    ([wireName, { field, kind }]) => {
      const stamp = field === "createdAt" || field === "updatedAt";
      const schema = stamp ? { type: "string", format: "date-time" } : { type: kind };
      return [
        query(wireName, `Only records with this \`${wireName}\`.`, schema),
        ...comparisons
          .filter((comparison) => comparison !== "eq")
          .map((comparison) =>
            comparison === "in"
              ? query(
                  `${wireName}[in]`,
                  `Only records with one of these \`${wireName}\`, separated by commas.`,
                  { type: "string" },
                )
              : query(
                  `${wireName}[${comparison}]`,
                  `Only records whose \`${wireName}\` is ${words[comparison]} this.`,
                  schema,
                ),
          ),
      ];
    },
  );
  const sortable = [
    ...comparableFields(resource, dialect, resource.sort).keys(),
    dialect.fieldName("id"),
  ];
  return [
    query("limit", "Records on a page, at the most.", {
      type: "integer",
      minimum: 1,
      maximum: resource.maxLimit,
      default: resource.limit,
    }),
    query(
      "sort",
      `Fields to sort by: ${sortable.map((name) => `\`${name}\``).join(", ")}. Several are separated by commas; \`-\` in front of one turns its order round.`,
      {
        type: "string",
        default: dialect.fieldName("id"),
      },
    ),
    query("cursor", "Where the page begins. Comes with the link to the next page.", {
      type: "string",
    }),
    ...filters,
  ];
}

const words = { ne: "not", gt: "above", gte: "at least", lt: "below", lte: "at most" } as const;

function query(name: string, description: string, schema: unknown): Parameter {
  return { name, in: "query", description, schema };
}
