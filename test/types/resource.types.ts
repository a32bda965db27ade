/**
 * What the types of declarations must infer, and what they must refuse. Nothing here runs: the
 * compiler judges it (types.test.ts). A `@ts-expect-error` above a line that compiles is an error.
 */
import { type } from "arktype";
import {
  anyone,
  api,
  type Dialect,
  nobody,
  type Principal,
  plain,
  type RowOf,
  resource,
  signedIn,
} from "posthaste";
import { z } from "zod";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };
/** Compiles with `true` where the two types are the same, and not otherwise. */
const same = <A, B>(proof: Equal<Flat<A>, Flat<B>>) => proof;

const access = { create: anyone, read: anyone, update: signedIn, delete: nobody };
const schema = z.object({
  name: z.string(),
  state: z.enum(["open", "done"]).default("open"),
  size: z.int().optional(),
  note: z.string().nullable(),
  tags: z.array(z.string()),
  place: z.object({ street: z.string() }).optional(),
});
interface Fields {
  readonly name: string;
  readonly state: "open" | "done";
  readonly size?: number | undefined;
  readonly note: string | null;
  readonly tags: string[];
  readonly place?: { street: string } | undefined;
}

// Rows: the schema's output, the id of its kind, the keys of parents, the timestamps.

const plainOne = resource("plain-ones", { schema, access });
same<RowOf<typeof plainOne>, Fields & { readonly id: number }>(true);

const uuidOne = resource("uuid-ones", { id: "uuid", schema, access });
same<RowOf<typeof uuidOne>, Fields & { readonly id: string }>(true);

const clientOne = resource("client-ones", { id: "client", schema, access, timestamps: true });
same<
  RowOf<typeof clientOne>,
  Fields & { readonly id: string; readonly createdAt: string; readonly updatedAt: string }
>(true);

const numberedChild = resource("children", { parent: { plainOne }, schema, access });
same<RowOf<typeof numberedChild>, Fields & { readonly id: number; readonly plainOneId: number }>(
  true,
);

const textChild = resource("children", { parent: { owner: uuidOne }, id: "uuid", schema, access });
same<RowOf<typeof textChild>, Fields & { readonly id: string; readonly ownerId: string }>(true);

const withoutTimestamps = resource("ones", { schema, access, timestamps: false });
same<RowOf<typeof withoutTimestamps>, Fields & { readonly id: number }>(true);

// @ts-expect-error an id of the default kind is a number
same<RowOf<typeof plainOne>["id"], string>(true);
// @ts-expect-error a field that the schema gives a default is always there
same<RowOf<typeof plainOne>["state"], "open" | "done" | undefined>(true);

// The same from another library.

const byArktype = resource("ark-ones", {
  schema: type({ name: "string", "size?": "number", state: "'open' | 'done' = 'open'" }),
  unique: ["name"],
  access,
  rules: [({ input, fail }) => input.state === "done" && fail("/name", "too-late")],
});
same<
  RowOf<typeof byArktype>,
  { readonly name: string; readonly size?: number; readonly state: "open" | "done" } & {
    readonly id: number;
  }
>(true);

// Rules and hooks.

resource("hooked", {
  parent: { plainOne },
  id: "uuid",
  schema,
  access,
  timestamps: true,
  rules: [
    ({ input, row, principal, fail, tx }) => {
      same<(typeof input)["state"], "open" | "done">(true);
      same<(typeof input)["plainOneId"], number>(true);
      same<typeof principal, Principal | null>(true);
      const before: string | undefined = row?.id;
      const created: string | undefined = row?.createdAt;
      fail("/place/street", "unknown-street", "is no street");
      // @ts-expect-error what is being created has no id yet
      input.id;
      // @ts-expect-error nor a time
      input.createdAt;
      // @ts-expect-error the record need not be there yet
      row.id;
      // @ts-expect-error a pointer begins with a slash
      fail("name", "wrong");
      // @ts-expect-error the input is not to be changed
      input.name = "other";
      return [before, created, tx.selectFrom("hooked").selectAll().execute()];
    },
    async ({ input }) => {
      // @ts-expect-error the schema has no such field
      input.nmae;
    },
  ],
  created: ({ row, fail }) => {
    const id: string = row.id;
    const parent: number = row.plainOneId;
    const time: string = row.createdAt;
    // @ts-expect-error an id of this kind is text
    const wrong: number = row.id;
    // @ts-expect-error "closed" is no state
    if (row.state === "closed") fail("/state", "closed");
    return [id, parent, time, wrong];
  },
  updated: ({ row, before }) => {
    same<typeof row, typeof before>(true);
    const changed: boolean = row.updatedAt !== before.updatedAt;
    return changed;
  },
  deleted: ({ row, principal }) => {
    // @ts-expect-error there may be nobody
    principal.id;
    // @ts-expect-error only an update has a before
    (({ before }) => before)({ row, principal });
    return row.note?.length;
  },
});

// Lists of fields.

resource("ones", { schema, access, unique: ["name", ["name", "state"]], readOnly: ["size"] });
resource("ones", { schema, access, writeOnly: ["note"], hidden: ["tags"] });
resource("ones", { schema, access, parent: { plainOne }, unique: [["plainOneId", "name"]] });
resource("ones", { schema, access, list: { filter: ["state"], sort: ["name"], limit: 5 } });
resource("ones", { schema, access, timestamps: true, list: { sort: ["createdAt", "updatedAt"] } });

// @ts-expect-error the schema has no such field
resource("ones", { schema, access, unique: ["nmae"] });
// @ts-expect-error neither on its own nor together with another
resource("ones", { schema, access, unique: [["name", "sate"]] });
// @ts-expect-error the key of a parent that it does not have
resource("ones", { schema, access, unique: [["name", "plainOneId"]] });
// @ts-expect-error the schema has no such field
resource("ones", { schema, access, readOnly: ["sise"] });
// @ts-expect-error the schema has no such field
resource("ones", { schema, access, writeOnly: ["nte"] });
// @ts-expect-error the schema has no such field
resource("ones", { schema, access, hidden: ["tag"] });
// @ts-expect-error the schema has no such field
resource("ones", { schema, access, list: { filter: ["stat"] } });
// @ts-expect-error the schema has no such field
resource("ones", { schema, access, list: { sort: ["nam"] } });
// @ts-expect-error times are kept where they are asked for
resource("ones", { schema, access, list: { sort: ["createdAt"] } });
// @ts-expect-error the id is not a field to filter by
resource("ones", { schema, access, list: { filter: ["id"] } });

// Access.

resource("ones", {
  schema,
  access: { create: signedIn, read: anyone, update: ({ id }) => id === "root", delete: nobody },
});
// @ts-expect-error who may?
resource("ones", { schema });
// @ts-expect-error who may delete?
resource("ones", { schema, access: { create: anyone, read: anyone, update: anyone } });
// @ts-expect-error a word that is none
resource("ones", { schema, access: { ...access, create: "anyone" } });
// @ts-expect-error a rule says yes or no
resource("ones", { schema, access: { ...access, create: () => "yes" } });
// @ts-expect-error and says it at once
resource("ones", { schema, access: { ...access, create: async () => true } });

// Values that the server sets.

resource("ones", {
  schema,
  access,
  set: { state: "open", note: null, name: ({ principal }) => principal?.id ?? "nobody" },
});
resource("ones", { schema, access, set: { size: ({ now }) => now, tags: ["a"] } });
// @ts-expect-error "closed" is no state
resource("ones", { schema, access, set: { state: "closed" } });
// @ts-expect-error nor is it one when a function gives it
resource("ones", { schema, access, set: { state: () => "closed" } });
// @ts-expect-error a number where text should be
resource("ones", { schema, access, set: { name: 1 } });
// @ts-expect-error null where it can't be
resource("ones", { schema, access, set: { name: null } });
// @ts-expect-error the schema has no such field
resource("ones", { schema, access, set: { owner: "me" } });
// @ts-expect-error there may be nobody
resource("ones", { schema, access, set: { name: ({ principal }) => principal.id } });

// Options.

// @ts-expect-error a kind of id that does not exist
resource("ones", { schema, access, id: "serial" });
// @ts-expect-error a misspelt option
resource("ones", { schema, access, timestamp: true });
// @ts-expect-error a parent is a resource
resource("ones", { schema, access, parent: { plainOne: "plain-ones" } });
// @ts-expect-error a number of bytes
resource("ones", { schema, access, maxBodyBytes: "1mb" });
// @ts-expect-error a word that is none
resource("ones", { schema, access, onParentDelete: "set-null" });
resource("ones", {
  schema,
  access,
  idempotency: {
    create: { key: "required", keep: "7 days", window: "1.5 seconds", anonymousKeys: "uuid" },
    patch: { key: "accepted", keep: "1 hour" },
  },
  ifMatch: "required",
});
// @ts-expect-error a duration has a unit that is a word
resource("ones", { schema, access, idempotency: { create: { keep: "24h" } } });
// @ts-expect-error a unit that does not exist
resource("ones", { schema, access, idempotency: { create: { keep: "2 weeks" } } });
// @ts-expect-error a number of what?
resource("ones", { schema, access, idempotency: { create: { window: 10 } } });
// @ts-expect-error no number at all
resource("ones", { schema, access, idempotency: { patch: { keep: "a day" } } });
// @ts-expect-error a word that is none
resource("ones", { schema, access, idempotency: { create: { key: "yes" } } });
// @ts-expect-error a policy is an object
resource("ones", { schema, access, idempotency: { create: "required" } });
// @ts-expect-error a word that is none
resource("ones", { schema, access, idempotency: { create: { anonymousKeys: "none" } } });
// @ts-expect-error a misspelt option
resource("ones", { schema, access, idempotency: { create: { keeps: "1 hour" } } });
// @ts-expect-error deleting twice is deleting once
resource("ones", { schema, access, idempotency: { delete: { key: "required" } } });
// @ts-expect-error a word that is none
resource("ones", { schema, access, ifMatch: "always" });
// @ts-expect-error what is no schema
resource("ones", { schema: { name: "string" }, access });
const mute = { "~standard": { version: 1 as const, vendor: "x", validate: () => ({ value: 1 }) } };
// @ts-expect-error a Standard Schema that can't tell its JSON Schema
resource("ones", { schema: mute, access });

// The API.

export default api({ plainOne, uuidOne, clientOne, numberedChild, textChild, byArktype });
api({ plainOne }, { title: "One", dialect: { ...plain, name: "mine" } });
// @ts-expect-error only resources are declared
api({ plainOne: { name: "plain-ones" } });
// @ts-expect-error a misspelt option
api({ plainOne }, { titel: "One" });
// @ts-expect-error half a dialect
const half: Dialect = { name: "half", mediaType: "application/json" };
// @ts-expect-error a dialect's names are text
api({ plainOne }, { dialect: { ...plain, fieldName: (name) => name.length } });
api(
  { plainOne },
  // @ts-expect-error a scheme tells what it is in OpenAPI
  { authenticate: [{ name: "key", challenge: "Key", authenticate: () => null }] },
);
api(
  { plainOne },
  {
    authenticate: [
      // @ts-expect-error a principal has an id
      { name: "key", challenge: "Key", openapi: {}, authenticate: () => ({ name: "me" }) },
    ],
  },
);

export { half };
