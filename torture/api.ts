import { action, anyone, api, JobFailure, job, nobody, resource, workflow } from "posthaste";
import { z } from "zod";

/**
 * The API under torture. Whatever it does leaves a row of its own behind, so that the checker can
 * count: what happened twice is there twice.
 */

const written = { create: nobody, read: anyone, update: nobody, delete: nobody };
const open = { create: anyone, read: anyone, update: nobody, delete: nobody };
/** What the framework keeps beside each record; user code that inserts one fills it in. */
const kept = { _version: 1, _created: 0, _updated: 0 };
const reference = z.string().min(1).max(100);

/** What an account begins with. */
export const OPENING_BALANCE = 1_000;
/** More than this is refused by a rule. */
export const MOST_OF_AN_ORDER = 1_000;

const accounts = resource("accounts", {
  schema: z.object({ name: reference, balance: z.int().default(OPENING_BALANCE) }),
  unique: ["name"],
  access: open,
});

/** One row for each transfer that happened. */
const journal = resource("journal", {
  schema: z.object({ reference, source: z.int(), target: z.int(), amount: z.int() }),
  access: written,
});

const transfers = action("transfers", {
  access: anyone,
  idempotency: { key: "required" },
  input: z.object({ reference, source: z.int(), target: z.int(), amount: z.int().min(1) }),
  output: z.object({ journal: z.int(), sourceBalance: z.int(), targetBalance: z.int() }),
  status: 201,
  location: ({ journal }) => `/journal/${journal}`,
  run: async ({ input, tx, fail }) => {
    const balanceOf = async (id: number) => {
      const row = await tx
        .selectFrom("accounts")
        .select("balance")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return Number(row.balance);
    };
    const move = async (id: number, amount: number) => {
      const balance = (await balanceOf(id)) + amount;
      await tx.updateTable("accounts").set({ balance }).where("id", "=", id).execute();
      return balance;
    };
    // Written first: where the transfer is refused afterwards, this has to be undone.
    const row = await tx
      .insertInto("journal")
      .values({ ...input, ...kept })
      .returning("id")
      .executeTakeFirstOrThrow();
    const sourceBalance = await move(input.source, -input.amount);
    const targetBalance = await move(input.target, input.amount);
    if (sourceBalance < 0) fail("/amount", "insufficient-funds");
    return { journal: Number(row.id), sourceBalance, targetBalance };
  },
});

/** One row for each attempt of a shipment that was committed. */
const shipments = resource("shipments", {
  schema: z.object({ job: reference, attempt: z.int(), order: z.int() }),
  access: written,
});

const ship = job("ship", {
  input: z.object({ order: z.int() }),
  attempts: 1_000,
  concurrency: 50,
  backoff: { first: "20 milliseconds", most: "200 milliseconds" },
  run: async ({ input, id, attempt, transaction }) => {
    const { order } = input;
    if (order % 13 === 0) throw new JobFailure("out-of-stock", "The order can't be shipped.");
    if (order % 7 === 0 && attempt === 1) throw new Error("The carrier was not reached.");
    await transaction(({ tx }) =>
      tx
        .insertInto("shipments")
        .values({ job: id, attempt, order, ...kept })
        .execute(),
    );
    return { order };
  },
});

const orders = resource("orders", {
  schema: z.object({ reference, amount: z.int(), coupon: z.string().optional() }),
  unique: ["coupon"],
  access: open,
  rules: [({ input, fail }) => input.amount > MOST_OF_AN_ORDER && fail("/amount", "too-much")],
  created: ({ row, enqueue }) => enqueue(ship, { order: row.id }),
});

/** One row for each step of a workflow, with how often it was done. */
const counters = resource("counters", {
  schema: z.object({ reference, workflow: reference, step: reference, times: z.int() }),
  unique: [["workflow", "step"]],
  access: written,
});

const fulfil = workflow("fulfil", {
  input: z.object({ reference }),
  attempts: 1_000,
  concurrency: 50,
  backoff: { first: "20 milliseconds", most: "200 milliseconds" },
  run: async ({ input, id, step }) => {
    const count = (name: string) =>
      step.transaction(name, async ({ tx }) => {
        await tx
          .insertInto("counters")
          .values({ ...input, workflow: id, step: name, times: 1, ...kept })
          .onConflict((conflict) =>
            conflict
              .columns(["workflow", "step"])
              .doUpdateSet(({ eb }) => ({ times: eb("counters.times", "+", 1) })),
          )
          .execute();
        return name;
      });
    const price = await step.run("quote", ({ key }) => key.length);
    await count("reserve");
    await step.sleep("rest", "100 milliseconds");
    await count("settle");
    return { price };
  },
});

const fulfilments = action("fulfilments", {
  access: anyone,
  idempotency: { key: "required" },
  input: z.object({ reference }),
  starts: fulfil,
  run: ({ input }) => input,
});

/** Sent without a key: within the window, the same text is the same note. */
const notes = resource("notes", {
  schema: z.object({ reference }),
  access: open,
  idempotency: { create: { window: "1 day" } },
});

/** Sent without a key, and with no window: nobody may send it again, and it happens once or never. */
const readings = resource("readings", {
  schema: z.object({ reference }),
  access: open,
});

export default api(
  {
    accounts,
    journal,
    transfers,
    shipments,
    ship,
    orders,
    counters,
    fulfil,
    fulfilments,
    notes,
    readings,
  },
  { title: "Torture" },
);
