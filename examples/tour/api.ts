/**
 * The tour: everything that Posthaste does, in one API that one can read through.
 * `npm start` serves it at http://127.0.0.1:3000/api, with its documentation at /docs.
 */
import {
  action,
  anyone,
  api,
  JobFailure,
  job,
  nobody,
  type Publishing,
  resource,
  webhooks,
  workflow,
} from "posthaste";
import { z } from "zod";
import { callGateway } from "./payments.ts";

const welcome = job("welcome-mail", {
  description: "Greets a new user.",
  input: z.object({ to: z.email(), name: z.string() }),
  run: async ({ input, mail }) => {
    await mail.send({
      to: input.to,
      subject: `Welcome, ${input.name}`,
      text: `Dear ${input.name},\n\nglad to have you.\n`,
    });
  },
});

const users = resource("users", {
  description: "People with an account.",
  schema: z.object({
    name: z.string().min(1).max(100),
    email: z.email().max(254),
    age: z.int().min(0).max(150).optional(),
  }),
  unique: ["email"],
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  rules: [
    ({ input, fail }) =>
      input.email.endsWith("@example.invalid") &&
      fail("/email", "disposable-address", "belongs to nobody"),
  ],
  // In the same transaction: no user without a mail, and no mail for a user that is not there.
  created: ({ row, enqueue }) => enqueue(welcome, { to: row.email, name: row.name }),
  example: { name: "Alice Johnson", email: "alice@example.com", age: 30 },
});

const posts = resource("posts", {
  description: "Articles of the blog.",
  schema: z.object({
    title: z.string().min(1).max(200),
    body: z.string().max(100_000).default(""),
    tags: z.array(z.string().min(1).max(30)).max(10).default([]),
    state: z.enum(["draft", "published"]).default("draft"),
  }),
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  timestamps: true,
  list: { filter: ["state", "createdAt"], sort: ["title", "createdAt"] },
  example: {
    title: "Exactly once",
    body: "A POST that is sent twice …",
    tags: ["http"],
    state: "draft",
  },
});

const comments = resource("comments", {
  description: "What readers say about a post.",
  parent: { post: posts },
  schema: z.object({
    author: z.string().min(1).max(100),
    text: z.string().min(1).max(2_000),
  }),
  access: { create: anyone, read: anyone, update: anyone, delete: anyone },
  timestamps: true,
  onParentDelete: "cascade",
  example: { author: "Bob", text: "Well said." },
});

const products = resource("products", {
  description: "What can be ordered.",
  schema: z.object({
    name: z.string().min(1).max(100),
    /** In cents. */
    price: z.int().min(0).max(100_000_00),
    stock: z.int().min(0),
  }),
  access: { create: anyone, read: anyone, update: anyone, delete: nobody },
  // Two people who count the stock at the same time must not overwrite each other.
  ifMatch: "required",
  list: { filter: ["stock"], sort: ["name", "price"] },
  example: { name: "Fountain pen", price: 4_900, stock: 10 },
});

const orders = resource("orders", {
  description: "What somebody wants to have, and pays for by `POST /orders/{id}/payments`.",
  schema: z.object({
    productId: z.int().min(1),
    quantity: z.int().min(1).max(100),
    email: z.email().max(254),
    /** In cents. */
    total: z.int().min(0),
    state: z.enum(["open", "paying", "paid"]),
  }),
  readOnly: ["total", "state"],
  set: { total: 0, state: "open" },
  access: { create: anyone, read: anyone, update: nobody, delete: nobody },
  timestamps: true,
  list: { filter: ["state"] },
  idempotency: { create: { window: "10 seconds" } },
  created: async ({ row, tx, fail }) => {
    const product = await tx
      .updateTable("products")
      .set((product) => ({ stock: product("stock", "-", row.quantity) }))
      .where("id", "=", row.productId)
      .where("stock", ">=", row.quantity)
      .returning("price")
      .executeTakeFirst();
    if (product === undefined) return fail("/quantity", "out-of-stock", "is more than there is");
    const total = Number(product.price) * row.quantity;
    await tx.updateTable("orders").set({ total }).where("id", "=", row.id).execute();
  },
  example: { productId: 1, quantity: 2, email: "alice@example.com" },
});

// Where it is tried out, webhooks may go to the machine itself.
const destinations =
  process.env.NODE_ENV === "production"
    ? {}
    : { allowHttp: true, allowPrivate: ["127.0.0.1", "::1"] };

const hooks = webhooks({
  events: { "order.paid": z.object({ order: z.int(), amount: z.int() }) },
  access: anyone,
  destinations,
});

const payment = workflow("order-payment", {
  description: "Charges the card, books it, and sends the receipt.",
  input: z.object({
    order: z.int(),
    amount: z.int(),
    card: z.string(),
    email: z.email(),
  }),
  run: async ({ input, step, progress }) => {
    const { order, amount, card, email } = input;
    const setState = ({ tx }: Publishing, state: "open" | "paid") =>
      tx.updateTable("orders").set({ state }).where("id", "=", order).execute();
    progress("authorising");
    const charge = await step
      .run("authorise", ({ key, signal }) => callGateway("/charges", { amount, card }, key, signal))
      .catch(async (error) => {
        if (error instanceof JobFailure)
          await step.transaction("give back", (given) => setState(given, "open"));
        throw error;
      });
    progress("capturing");
    await step.run("capture", ({ key, signal }) =>
      callGateway(`/charges/${charge.id}/capture`, {}, key, signal),
    );
    await step.transaction("book", async (given) => {
      await setState(given, "paid");
      await hooks.publish(given, "order.paid", { order, amount });
    });
    await step.run("receipt", ({ mail }) =>
      mail.send({
        to: email,
        subject: `Receipt for order ${order}`,
        text: `We have received ${(amount / 100).toFixed(2)} for order ${order}.\n`,
      }),
    );
    return { charge: charge.id, amount };
  },
});

const payments = action("payments", {
  description: "Pays an order. The answer comes at once; the job at `Location` tells how it went.",
  on: orders,
  // What the gateway gave the browser for the card: the number itself never comes here.
  input: z.object({ card: z.string().regex(/^tok_[a-z]{1,50}$/, "is not a token of a card") }),
  access: anyone,
  idempotency: { key: "required" },
  starts: payment,
  run: async ({ row, input, tx, conflict }) => {
    if (row.state !== "open") conflict(`order-${row.state}`, `The order is ${row.state} already.`);
    await tx.updateTable("orders").set({ state: "paying" }).where("id", "=", row.id).execute();
    return { order: row.id, amount: row.total, card: input.card, email: row.email };
  },
  example: { card: "tok_visa" },
});

const contactMail = job("contact-mail", {
  description: "Hands on what somebody wrote into the contact form.",
  input: z.object({ name: z.string(), email: z.email(), message: z.string() }),
  run: async ({ input, mail }) => {
    await mail.send({
      to: "hello@tour.example",
      replyTo: input.email,
      subject: `A message from ${input.name}`,
      text: input.message,
    });
  },
});

const contact = action("contact", {
  description: "The contact form: what visitors write is handed on by mail.",
  input: z.object({
    name: z.string().min(1).max(100),
    email: z.email().max(254),
    message: z.string().min(1).max(5_000),
  }),
  access: anyone,
  starts: contactMail,
  run: ({ input }) => input,
  example: { name: "Bob", email: "bob@example.com", message: "Do you ship to Finland?" },
});

export default api(
  { users, posts, comments, products, orders, payments, contact, welcome, ...hooks.declarations },
  {
    title: "Tour",
    version: "0.1.0",
    description:
      "A tour of Posthaste: users, a blog with comments, and a shop that takes payments.",
    mail: { from: "Tour <tour@tour.example>" },
    contact: { name: "The Posthaste founders", url: "https://posthaste.invalid/" },
    license: { name: "MIT", identifier: "MIT" },
  },
);
