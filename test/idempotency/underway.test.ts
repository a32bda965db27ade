import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Problem } from "../../src/kernel/problems.ts";
import { Underway } from "../../src/pipeline/underway.ts";

/** Work that ends when the test says so. */
function work<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let begun = false;
  const begin = () => {
    begun = true;
    return promise;
  };
  return { begin, resolve, reject, begun: () => begun };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

suite("Claims under way", () => {
  test("keep a twin from beginning until the first has ended", async () => {
    const underway = new Underway(10_000);
    const [first, twin, other] = [work<string>(), work<string>(), work<string>()];
    const outcomes = [underway.once("a", first.begin), underway.once("a", twin.begin)];
    outcomes.push(underway.once("b", other.begin));
    await settled();
    assert.deepEqual([first.begun(), twin.begun(), other.begun()], [true, false, true]);
    assert.deepEqual(
      [underway.has("a"), underway.has("b"), underway.has("c")],
      [true, true, false],
    );
    first.resolve("first");
    await settled();
    assert.equal(twin.begun(), true);
    twin.resolve("twin");
    other.resolve("other");
    assert.deepEqual(await Promise.all(outcomes), ["first", "twin", "other"]);
    assert.equal(underway.has("a"), false);
  });

  test("let all twins go on together, so that the last does not wait for each one before it", async () => {
    const underway = new Underway(10_000);
    const first = work<number>();
    const twins = Array.from({ length: 50 }, () => work<number>());
    const outcomes = [first, ...twins].map(({ begin }) => underway.once("a", begin));
    first.resolve(0);
    await settled();
    assert.ok(twins.every(({ begun }) => begun()));
    assert.equal(underway.has("a"), true);
    for (const [index, { resolve }] of twins.entries()) resolve(index + 1);
    assert.deepEqual(
      await Promise.all(outcomes),
      Array.from({ length: 51 }, (_, index) => index),
    );
    assert.equal(underway.has("a"), false);
  });

  test("let a twin go on when the first has failed, and fail nobody else with it", async () => {
    const underway = new Underway(10_000);
    const [first, twin] = [work<string>(), work<string>()];
    const outcomes = Promise.allSettled([
      underway.once("a", first.begin),
      underway.once("a", twin.begin),
    ]);
    first.reject(new Error("lost"));
    twin.resolve("done");
    const [lost, done] = await outcomes;
    assert.equal(lost.status, "rejected");
    assert.deepEqual(done, { status: "fulfilled", value: "done" });
    assert.equal(underway.has("a"), false);
  });

  test("tell a twin after a bounded time, and never begin its work", async () => {
    const underway = new Underway(5);
    const [first, twin] = [work<string>(), work<string>()];
    const outcome = underway.once("a", first.begin);
    await assert.rejects(underway.once("a", twin.begin), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.type, "request-in-progress");
      assert.equal(error.details.headers?.["retry-after"], "1");
      return true;
    });
    assert.equal(underway.has("a"), true, "the first one is still there");
    first.resolve("first");
    assert.equal(await outcome, "first");
    await settled();
    assert.equal(twin.begun(), false);
    assert.equal(underway.has("a"), false);
  });
});
