import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, suite, test } from "node:test";
import fixture, { gates, runs } from "../fixtures/deeds.ts";
import { changeStore } from "../support/jobs.ts";
import { by, keyed } from "../support/keyed.ts";
import { assertInvalid, assertProblem } from "../support/problem.ts";
import { type Answer, inBothModes, type Served } from "../support/scenario.ts";
import { eventually, within } from "../support/time.ts";

interface Monitor {
  readonly id: string;
  readonly state: string;
  readonly result?: unknown;
  readonly failure?: { readonly code: string; readonly detail: string };
  readonly links: { readonly self: string };
}
const monitorIn = ({ body }: Answer) => body as Monitor;

/** Holds a job of this name until it is let go. */
function hold(name: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  gates.set(name, promise);
  return resolve;
}

suite("An action that starts a job", () => {
  inBothModes(new URL("../fixtures/deeds.ts", import.meta.url), fixture, scenarios);

  function scenarios(served: Served) {
    afterEach(() => {
      gates.clear();
      runs.clear();
    });
    const effects = () => served.rows("effects").map(({ text }) => text);
    const jobs = () => served.rows("posthaste_jobs").length;
    const prefer = (value: string) => ({ prefer: value });
    const finished = (location: string) =>
      eventually(10_000, `${location} is finished`, async () => {
        const answer = await served.get(location);
        const ended = ["succeeded", "failed", "cancelled"].includes(monitorIn(answer).state);
        return ended ? answer : undefined;
      });

    test("is answered 202 with its monitor, when all that it did is durable", async () => {
      const letGo = hold("a");
      const answer = await served.post("/start", { name: "a" });
      assert.equal(answer.status, 202, answer.text);
      const location = answer.header("location")!;
      assert.match(location, /^\/api\/jobs\/[0-9a-f-]{36}$/);
      assert.equal(answer.header("retry-after"), "1");
      assert.equal(answer.header("preference-applied"), null);
      const { id, state, links } = monitorIn(answer);
      assert.deepEqual([state, links], ["waiting", { self: location }]);
      assert.ok(location.endsWith(id));
      assert.deepEqual(effects(), ["start a"]);
      letGo();
      assert.deepEqual(monitorIn(await finished(location)).result, { done: "a" });
      assert.equal(runs.get("a"), 1);
    });

    test("that refuses, or fails, starts nothing", async () => {
      const before = jobs();
      assertInvalid(await served.post("/start", { name: "b", does: "refuse" }), ["#/does refused"]);
      for (const [does, told] of [
        ["misfit", /The input of the job "chore" does not fit its schema\. name: /],
        ["too much", /The input of the job "chore" has more than 1048576 characters as JSON: keep/],
      ] as const) {
        const answer = await served.post("/start", { name: "b", does });
        assertProblem(answer, 500, "internal-error");
        const failed = served.observed.find(
          (each) =>
            each.event === "request.failed" && each.requestId === answer.header("request-id"),
        );
        assert.match(String(failed?.error), told);
      }
      assert.equal(jobs(), before);
      assert.deepEqual(effects(), []);
    });

    test("Prefer: wait=N is answered with the result when that is there in time", async () => {
      const answer = await served.post("/start", { name: "c" }, prefer("wait=30"));
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.header("preference-applied"), "wait=30");
      assert.equal(answer.header("retry-after"), null);
      const { state, result, links } = monitorIn(answer);
      assert.deepEqual([state, result], ["succeeded", { done: "c" }]);
      assert.equal(answer.header("location"), links.self);
      assert.deepEqual((await served.get(links.self)).body, answer.body);
    });

    test("Prefer: wait=N tells of a job that failed, and of one that was tried again", async () => {
      const failed = await served.post("/start", { name: "d", does: "fail" }, prefer("wait=30"));
      assert.equal(failed.status, 200);
      const { state, failure, result } = monitorIn(failed);
      assert.deepEqual([state, result], ["failed", undefined]);
      assert.deepEqual(failure, { code: "broken", detail: "The chore can't be done." });
      const again = await served.post(
        "/start",
        { name: "e", does: "fail once" },
        prefer("wait=30"),
      );
      assert.deepEqual(monitorIn(again).result, { done: "e" });
      assert.equal(runs.get("e"), 2);
      const never = await served.post(
        "/start",
        { name: "f", does: "fail always" },
        prefer("wait=30"),
      );
      assert.deepEqual(monitorIn(never).failure, {
        code: "failed",
        detail: "Gave up after 2 attempts.",
      });
      assert.doesNotMatch(never.text, /internals/);
    });

    test("Prefer: wait=0 and wait=1 are answered 202 when the job takes longer", async () => {
      const letGo = hold("g");
      const at = performance.now();
      const none = await served.post("/start", { name: "g" }, prefer("wait=0"));
      assert.equal(none.status, 202);
      assert.equal(none.header("preference-applied"), null);
      const one = await served.post("/start", { name: "g" }, prefer("wait=1"));
      assert.equal(one.status, 202);
      assert.ok(performance.now() - at > 950, "it did wait for the second one");
      letGo();
      await Promise.all([finished(none.header("location")!), finished(one.header("location")!)]);
    });

    test("a client that waits is answered as soon as the job has ended", async () => {
      const letGo = hold("h");
      const waiting = served.post("/start", { name: "h" }, prefer("wait=40"));
      await eventually(5_000, "it runs", () => runs.get("h") === 1);
      letGo();
      const answer = await within(5_000, "it is answered", waiting);
      assert.equal(answer.status, 200);
    });

    test("Prefer: respond-async is answered 202 at once; with wait=N only when N is over", async () => {
      const letGo = hold("i");
      const at = await served.post("/start", { name: "i" }, prefer("respond-async"));
      assert.equal(at.status, 202);
      assert.equal(at.header("preference-applied"), "respond-async");
      const both = await served.post("/start", { name: "i" }, prefer("respond-async, wait=1"));
      assert.equal(both.status, 202);
      assert.equal(both.header("preference-applied"), "respond-async");
      letGo();
      // RFC 7240 section 4.3: asynchronously if it takes longer than that.
      const fast = await served.post("/start", { name: "j" }, prefer("respond-async, wait=30"));
      assert.equal(fast.status, 200);
      assert.equal(fast.header("preference-applied"), "wait=30");
    });

    test("a preference that is malformed is as none", async () => {
      const letGo = hold("k");
      for (const value of [
        "wait",
        "wait=-1",
        "wait=soon",
        "wait=1.5",
        "respond-async=yes",
        "wait=",
      ]) {
        const answer = await served.post("/start", { name: "k" }, prefer(value));
        assert.equal(answer.status, 202, value);
        assert.equal(answer.header("preference-applied"), null, value);
      }
      letGo();
    });

    test("with a key is started once: the same 202 again, and with wait the result", async () => {
      const letGo = hold("l");
      const key = randomUUID();
      const first = await served.post("/start", { name: "l" }, keyed(key));
      assert.equal(first.status, 202);
      const again = await served.post("/start", { name: "l" }, keyed(key));
      assert.equal(again.header("idempotent-replayed"), "true");
      assert.equal(again.text, first.text);
      assert.equal(again.header("location"), first.header("location"));
      const waiting = served.post("/start", { name: "l" }, keyed(key, prefer("wait=30")));
      letGo();
      const result = await waiting;
      assert.equal(result.status, 200);
      assert.equal(result.header("idempotent-replayed"), "true", "nothing was started for it");
      assert.deepEqual(monitorIn(result).result, { done: "l" });
      // And when the job has ended long ago.
      const late = await served.post("/start", { name: "l" }, keyed(key, prefer("wait=30")));
      assert.equal(late.status, 200);
      assert.equal(late.text, result.text);
      const plain = await served.post("/start", { name: "l" }, keyed(key));
      assert.equal(plain.text, first.text, "without wait it is the first answer, byte for byte");
      assert.equal(runs.get("l"), 1);
      assert.deepEqual(effects(), ["start l"]);
    });

    test("twins that wait with one key get one result", async () => {
      const key = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 8 }, () =>
          served.post("/start", { name: "m" }, keyed(key, prefer("wait=30"))),
        ),
      );
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
      assert.equal(runs.get("m"), 1);
    });

    test("a key outlives what is known of its job: then the first answer is all there is", async () => {
      const key = randomUUID();
      const first = await served.post("/start", { name: "n" }, keyed(key));
      const location = first.header("location")!;
      await finished(location);
      changeStore(served.store, "DELETE FROM posthaste_jobs WHERE id = ?", monitorIn(first).id);
      assertProblem(await served.get(location), 404, "not-found");
      const again = await served.post("/start", { name: "n" }, keyed(key, prefer("wait=1")));
      assert.equal(again.status, 202);
      assert.equal(again.text, first.text);
    });

    test("shows its job to whoever started it, also to one who waits", async () => {
      const answer = await served.post(
        "/start-mine",
        { name: "o" },
        { ...by("ann"), ...prefer("wait=30") },
      );
      assert.equal(answer.status, 200, answer.text);
      const { self } = monitorIn(answer).links;
      assert.equal((await served.get(self, by("ann"))).status, 200);
      assertProblem(await served.get(self, by("bob")), 404, "not-found");
      assertProblem(await served.get(self), 404, "not-found");
    });
  }
});
