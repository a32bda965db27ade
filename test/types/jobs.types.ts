/**
 * What the types of actions, jobs and workflows must infer, and what they must refuse. Nothing here
 * runs: the compiler judges it (types.test.ts).
 */
import { type } from "arktype";
import {
  type Action,
  action,
  anyone,
  api,
  type EnqueuedJob,
  type Job,
  JobFailure,
  job,
  nobody,
  type Principal,
  resource,
  signedIn,
  workflow,
} from "posthaste";
import { z } from "zod";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };
/** Compiles with `true` where the two types are the same, and not otherwise. */
const same = <A, B>(proof: Equal<Flat<A>, Flat<B>>) => proof;
/** The same for types that are no objects. */
const exactly = <A, B>(proof: Equal<A, B>) => proof;

const open = { create: anyone, read: anyone, update: anyone, delete: nobody };
const orders = resource("orders", {
  id: "uuid",
  schema: z.object({ total: z.int(), paid: z.boolean().default(false) }),
  access: open,
});
const lines = resource("lines", {
  parent: { order: orders },
  schema: z.object({ item: z.string() }),
  access: open,
  timestamps: true,
});

// Jobs: what they are given is the schema's output; what they are enqueued with, its input.

const input = z.object({
  to: z.string(),
  copies: z.int().default(1),
  urgent: z.boolean().optional(),
});

const mail = job("mail", {
  input,
  run: async ({ input, id, key, attempt, signal, progress, transaction, mail }) => {
    same<typeof input, { to: string; copies: number; urgent?: boolean | undefined }>(true);
    exactly<typeof id, string>(true);
    exactly<typeof key, string>(true);
    exactly<typeof attempt, number>(true);
    exactly<typeof signal, AbortSignal>(true);
    progress({ sent: [1, "two", null] });
    // @ts-expect-error progress is JSON
    progress(new Date());
    // @ts-expect-error nor is a function
    progress(() => 1);
    const count = await transaction(async ({ tx, enqueue }) => {
      const next = await enqueue(mail2, { to: "b" });
      same<typeof next, EnqueuedJob>(true);
      return (await tx.selectFrom("orders").selectAll().execute()).length;
    });
    exactly<typeof count, number>(true);
    // @ts-expect-error the schema has no such field
    input.form;
    // @ts-expect-error a transaction is given a function that is async
    await transaction(() => 1);
    // @ts-expect-error a job has no steps
    (({ step }) => step)({ input, id, key, attempt, signal, progress, transaction, mail });
    return { sent: input.copies };
  },
});
same<typeof mail, Job<z.input<typeof input>, { sent: number }>>(true);

const mail2 = job("mail-two", { input, run: () => "sent" as const });
same<
  typeof mail2,
  Job<{ to: string; copies?: number | undefined; urgent?: boolean | undefined }, "sent">
>(true);

const nothing = z.object({});
const silent = job("silent", { input: nothing, run: () => {} });
same<typeof silent, Job<z.input<typeof nothing>, void>>(true);

const byArktype = job("by-arktype", {
  input: type({ name: "string", "size?": "number" }),
  run: ({ input }) => {
    same<typeof input, { name: string; size?: number }>(true);
    return input.size;
  },
});
same<typeof byArktype, Job<{ name: string; size?: number }, number | undefined>>(true);

job("jobs", {
  input,
  attempts: 5,
  backoff: { first: "1 second", most: "1 hour" },
  timeout: "30 seconds",
  concurrency: 2,
  priority: -1,
  keep: "7 days",
  location: ({ path }) => path,
  schedule: "0 3 * * *",
  timeZone: "Europe/Berlin",
  description: "Does it.",
  run: () => ({ path: "/orders/1" as const }),
});
// @ts-expect-error a job has a schema of what it is given
job("jobs", { run: () => {} });
// @ts-expect-error and a function
job("jobs", { input });
// @ts-expect-error a misspelt option
job("jobs", { input, attempt: 5, run: () => {} });
// @ts-expect-error a number of what?
job("jobs", { input, timeout: 30, run: () => {} });
// @ts-expect-error a unit that does not exist
job("jobs", { input, keep: "2 weeks", run: () => {} });
// @ts-expect-error a duration is words
job("jobs", { input, backoff: { first: 1_000 }, run: () => {} });
// @ts-expect-error a misspelt option of the backoff
job("jobs", { input, backoff: { initial: "1 second" }, run: () => {} });
// @ts-expect-error what is no schema
job("jobs", { input: { to: "string" }, run: () => {} });
// @ts-expect-error a path begins with a slash
job("jobs", { input, location: () => "orders", run: () => {} });
// @ts-expect-error the result has no such field
job("jobs", { input, location: ({ path }) => path, run: () => ({ id: 1 }) });
// @ts-expect-error the schema has no such field
job("jobs", { input, run: ({ input }) => input.from });

// Workflows: each step gives what its function gives.

const pay = workflow("pay", {
  input: z.object({ order: z.uuid(), amount: z.int() }),
  run: async ({ input, step, key }) => {
    same<typeof input, { order: string; amount: number }>(true);
    const charge = await step.run("charge", async ({ key: stepKey, signal }) => {
      exactly<typeof stepKey, string>(true);
      exactly<typeof signal, AbortSignal>(true);
      return { charge: `${key}${stepKey}` };
    });
    same<typeof charge, { charge: string }>(true);
    const now = await step.run("now", () => 5 as const);
    exactly<typeof now, 5>(true);
    const rows = await step.transaction("book", async ({ tx, enqueue }) => {
      await enqueue(mail, { to: "a" });
      // @ts-expect-error what the job is given has a receiver
      await enqueue(mail, { copies: 1 });
      return (await tx.selectFrom("orders").select("id").execute()).length;
    });
    exactly<typeof rows, number>(true);
    exactly<Awaited<ReturnType<typeof step.sleep>>, void>(true);
    await step.sleep("night", "8 hours");
    // @ts-expect-error a duration is words
    await step.sleep("night", 8);
    // @ts-expect-error a step has a name
    await step.run(async () => 1);
    // @ts-expect-error a name is text
    await step.run(1, async () => 1);
    // @ts-expect-error the step's result has no such field
    charge.id;
    // @ts-expect-error a transaction is given a function that is async
    await step.transaction("book", () => 1);
    if (rows > 5) throw new JobFailure("too-many", "There are too many.");
    return charge;
  },
});
same<typeof pay, Job<{ order: string; amount: number }, { charge: string }>>(true);

workflow("pays", {
  input,
  // @ts-expect-error a workflow's transactions are steps
  run: ({ transaction }) => transaction(async () => 1),
});
// @ts-expect-error a failure has a code and a sentence
new JobFailure("code");

// Actions: the body by its schema, the record by its resource.

const refund = action("refund", {
  on: orders,
  input: z.object({ amount: z.int(), reason: z.string().default("none") }),
  output: z.object({ id: z.string(), left: z.int() }),
  access: signedIn,
  run: async ({ input, row, params, principal, now, tx, enqueue, fail, conflict }) => {
    same<typeof input, { amount: number; reason: string }>(true);
    same<typeof row, { readonly id: string; readonly total: number; readonly paid: boolean }>(true);
    same<typeof params, Readonly<Record<string, string>>>(true);
    exactly<typeof principal, Principal | null>(true);
    exactly<typeof now, number>(true);
    const { id } = await enqueue(
      mail,
      { to: row.id },
      { delay: "1 hour", priority: 1, unique: "a" },
    );
    exactly<typeof id, string>(true);
    // @ts-expect-error what the job is given has a receiver that is text
    await enqueue(mail, { to: 1 });
    // @ts-expect-error and all that it must have
    await enqueue(pay, { amount: 1 });
    // @ts-expect-error and nothing else
    await enqueue(mail, { to: "a", from: "b" });
    // @ts-expect-error a job is what job() gave
    await enqueue("mail", { to: "a" });
    // @ts-expect-error a misspelt option
    await enqueue(mail, { to: "a" }, { delays: "1 hour" });
    // @ts-expect-error a duration is words
    await enqueue(mail, { to: "a" }, { delay: 5 });
    // @ts-expect-error a pointer begins with a slash
    fail("amount", "too-much");
    // @ts-expect-error a conflict has a sentence
    if (row.paid) conflict("paid");
    // @ts-expect-error the record is not to be changed
    row.total = 1;
    // @ts-expect-error the resource has no such field
    row.owner;
    // @ts-expect-error there may be nobody
    principal.id;
    await tx.deleteFrom("orders").where("id", "=", row.id).execute();
    return { id: row.id, left: row.total - input.amount };
  },
});
same<typeof refund, Action>(true);

action("strike", {
  on: lines,
  access: anyone,
  run: ({ row, input }) => {
    exactly<typeof input, undefined>(true);
    same<
      typeof row,
      {
        readonly id: number;
        readonly item: string;
        readonly orderId: string;
        readonly createdAt: string;
        readonly updatedAt: string;
      }
    >(true);
  },
});

const reset = action("reset", {
  access: anyone,
  run: ({ input, row }) => {
    exactly<typeof input, undefined>(true);
    exactly<typeof row, undefined>(true);
  },
});

action("drafts", {
  input: z.object({ title: z.string() }),
  output: z.object({ id: z.int(), kind: z.string().default("draft") }),
  status: 201,
  location: ({ id, kind }) => `/${kind}/${id}`,
  access: anyone,
  maxBodyBytes: 1_000,
  path: "/drafts/{kind}",
  idempotency: { key: "required", keep: "7 days", window: "10 seconds", anonymousKeys: "uuid" },
  description: "Makes a draft.",
  example: { title: "a" },
  // What the schema gives a default need not be given.
  run: () => ({ id: 1 }),
});
// @ts-expect-error who may?
action("acts", { run: () => {} });
// @ts-expect-error what does it do?
action("acts", { access: anyone });
action("acts", {
  access: anyone,
  output: z.object({ id: z.int() }),
  // @ts-expect-error the output has a number
  run: () => ({ id: "1" }),
});
action("acts", {
  access: anyone,
  output: z.object({ id: z.int() }),
  // @ts-expect-error and is not nothing
  run: async () => {},
});
// @ts-expect-error a status of a success
action("acts", { access: anyone, status: 202, run: () => {} });
// @ts-expect-error a path begins with a slash
action("acts", { access: anyone, path: "acts", run: () => {} });
// @ts-expect-error a resource, not its name
action("acts", { access: anyone, on: "orders", run: () => {} });
// @ts-expect-error a misspelt option
action("acts", { access: anyone, acess: anyone, run: () => {} });
// @ts-expect-error a word that is none
action("acts", { access: anyone, idempotency: { key: "always" }, run: () => {} });

// An action that starts a job gives what the job is given.

const payment = action("payment", {
  on: orders,
  input: z.object({ amount: z.int() }),
  access: anyone,
  starts: pay,
  run: ({ row, input }) => ({ order: row.id, amount: input.amount }),
});
action("payments", {
  access: anyone,
  starts: mail,
  run: async () => ({ to: "a" }),
});
action("payments", {
  on: orders,
  access: anyone,
  // @ts-expect-error the job is given an order, too
  starts: pay,
  run: ({ row }) => ({ amount: row.total }),
});
action("payments", {
  access: anyone,
  // @ts-expect-error whose amount is a number
  starts: pay,
  run: () => ({ order: "1", amount: "2" }),
});
action("payments", {
  access: anyone,
  // @ts-expect-error nothing is not enough
  starts: pay,
  run: () => {},
});
action("payments", {
  access: anyone,
  // @ts-expect-error a job is what job() gave
  starts: "pay",
  run: () => ({ to: "a" }),
});

// Hooks of resources enqueue, too.

resource("letters", {
  schema: z.object({ to: z.string() }),
  access: open,
  created: ({ row, enqueue }) => enqueue(mail, { to: row.to }),
  updated: async ({ row, enqueue }) => {
    // @ts-expect-error what the job is given has a receiver that is text
    await enqueue(mail, { to: row.id });
  },
});

export default api({ orders, lines, mail, mail2, silent, pay, refund, reset, payment });
