import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { servePosthaste } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually } from "../support/time.ts";
import { type Answered, Customer, tour } from "./customer.ts";

async function visit(t: TestContext): Promise<Customer> {
  const server = await servePosthaste(t, [tour], { cwd: temporaryFolder(t) });
  return new Customer(server.origin);
}

const faults = ({ body }: Answered) =>
  (body.errors as { pointer: string; code: string }[]).map(
    ({ pointer, code }) => `${pointer} ${code}`,
  );

const alice = { name: "Alice Johnson", email: "alice@example.com", age: 30 };

suite("The tour", { concurrency: 2 }, () => {
  test("welcomes who registers by mail, once, and nobody whose registration was refused", async (t) => {
    const customer = await visit(t);
    assert.equal((await customer.post("/users", alice)).status, 201);
    assert.equal((await customer.post("/users", alice)).status, 409);
    const disposable = { name: "Eve", email: "eve@example.invalid" };
    assert.deepEqual(faults(await customer.post("/users", disposable)), [
      "#/email disposable-address",
    ]);
    await customer.make("/users", { name: "Bob Miller", email: "bob@example.com" });
    const mails = await eventually(5_000, "Bob's mail", async () => {
      const subjects = await customer.mails();
      return subjects[0] === "Welcome, Bob Miller" ? subjects : undefined;
    });
    assert.deepEqual(mails, ["Welcome, Bob Miller", "Welcome, Alice Johnson"]);
    const page = await customer.mail("Welcome, Alice Johnson");
    for (const shown of ["Tour &lt;tour@tour.example&gt;", alice.email, "Dear Alice Johnson,"])
      assert.ok(page.includes(shown), shown);
  });

  test("hands on what is written into the contact form, and says when it has", async (t) => {
    const customer = await visit(t);
    const message = { name: "Bob", email: "bob@example.com", message: "Do you ship to Finland?" };
    const accepted = await customer.post("/contact", message);
    assert.equal(accepted.status, 202);
    const monitor = accepted.headers.get("location")!;
    await eventually(5_000, "the job has succeeded", async () => {
      return (await customer.get(monitor)).body.state === "succeeded";
    });
    assert.deepEqual(await customer.mails(), ["A message from Bob"]);
    const page = await customer.mail("A message from Bob");
    for (const shown of ["hello@tour.example", "Reply-To", "bob@example.com", message.message])
      assert.ok(page.includes(shown), shown);
    const empty = await customer.post("/contact", { name: "", email: "bob" });
    assert.equal(empty.status, 422);
    assert.deepEqual(faults(empty).sort(), [
      "#/email invalid_format",
      "#/message required",
      "#/name too_small",
    ]);
  });

  test("never sells more than there is, to 50 who order at once", async (t) => {
    const customer = await visit(t);
    const product = await customer.make("/products", { name: "Pen", price: 4_900, stock: 20 });
    const orders = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        customer.post("/orders", {
          productId: product,
          quantity: 1 + (index % 3),
          email: `customer-${index}@example.com`,
        }),
      ),
    );
    const sold = orders.filter(({ status }) => status === 201);
    const refused = orders.filter(({ status }) => status !== 201);
    for (const answer of refused) {
      assert.equal(answer.status, 422);
      assert.deepEqual(faults(answer), ["#/quantity out-of-stock"]);
    }
    const quantity = sold.reduce((sum, { body }) => sum + Number(body.quantity), 0);
    const { stock } = (await customer.get(`/products/${product}`)).body;
    assert.equal(stock, 20 - quantity);
    // Orders of one piece came to the end as well, so nothing was left.
    assert.equal(stock, 0);
    const stored = await customer.get("/orders?limit=100");
    assert.equal((stored.body as unknown as unknown[]).length, sold.length);
  });

  test("reckons what an order costs, and lets nobody say it", async (t) => {
    const customer = await visit(t);
    const product = await customer.make("/products", { name: "Pen", price: 4_900, stock: 10 });
    const order = { productId: product, quantity: 3, email: "alice@example.com" };
    const made = await customer.post("/orders", order);
    assert.equal(made.status, 201);
    assert.deepEqual([made.body.total, made.body.state], [14_700, "open"]);
    const cheap = await customer.post("/orders", { ...order, total: 1, state: "paid" });
    assert.equal(cheap.status, 422);
    assert.deepEqual(faults(cheap).sort(), ["#/state read_only", "#/total read_only"]);
    const unknown = await customer.post("/orders", { ...order, productId: 999 });
    assert.equal(unknown.status, 422);
    assert.equal((await customer.get(`/products/${product}`)).body.stock, 7);
  });

  test("takes a double click for one order, and another order for another one", async (t) => {
    const customer = await visit(t);
    const product = await customer.make("/products", { name: "Pen", price: 4_900, stock: 10 });
    const order = { productId: product, quantity: 2, email: "alice@example.com" };
    const [one, two] = await Promise.all([
      customer.post("/orders", order),
      customer.post("/orders", order),
    ]);
    assert.deepEqual([one.status, two.status], [201, 201]);
    assert.equal(one.body.id, two.body.id);
    const replayed = [one, two].map(({ headers }) => headers.get("idempotent-replayed"));
    assert.deepEqual(replayed.sort(), [null, "true"].sort());
    const other = await customer.post("/orders", { ...order, email: "bob@example.com" });
    assert.notEqual(other.body.id, one.body.id);
    assert.equal((await customer.get(`/products/${product}`)).body.stock, 6);
  });

  test("lets two people count the stock only one after the other", async (t) => {
    const customer = await visit(t);
    const pen = { name: "Pen", price: 4_900, stock: 10 };
    const path = `/products/${await customer.make("/products", pen)}`;
    const seen = (await customer.get(path)).headers.get("etag")!;
    const count = (stock: number, headers = {}) =>
      customer.ask("PUT", path, { ...pen, stock }, headers);
    const blind = await count(99);
    assert.deepEqual([blind.status, blind.body.type], [428, "/problems/precondition-required"]);
    const patch = await customer.ask("PATCH", path, { stock: 99 });
    assert.equal(patch.status, 428);
    assert.equal((await count(12, { "if-match": seen })).status, 200);
    assert.equal((await count(7, { "if-match": seen })).status, 412);
    assert.equal((await customer.get(path)).body.stock, 12);
  });
});
