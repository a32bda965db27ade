import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { slewedClock, type TimeSources } from "../../src/kernel/clock.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 23);

/** A machine whose time passes when it is told to. */
class Machine implements TimeSources {
  #wall = START;
  #monotonic = 5_000;
  #sinceBoot = 77_000;

  readonly wall = () => Math.floor(this.#wall);
  readonly monotonic = () => this.#monotonic;
  /** As coarse as Linux tells it. */
  readonly sinceBoot = () => Math.floor(this.#sinceBoot / 10) * 10;

  pass(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#monotonic += milliseconds;
    this.#sinceBoot += milliseconds;
  }

  jump(milliseconds: number): void {
    this.#wall += milliseconds;
  }

  sleep(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#sinceBoot += milliseconds;
  }
}

/** How long it takes on the machine until the clock has gone on by so much, read every minute. */
function timeFor(machine: Machine, now: () => number, milliseconds: number): number {
  const goal = now() + milliseconds;
  let passed = 0;
  while (now() < goal) {
    machine.pass(60_000);
    passed += 60_000;
  }
  return passed;
}

suite("A clock for durations", () => {
  test("shows the same as the wall clock, as long as that does not jump", () => {
    const machine = new Machine();
    const clock = slewedClock(machine);
    for (let step = 0; step < 10_000; step++) {
      machine.pass((step * 7.3) % 90);
      assert.equal(clock.now(), machine.wall());
    }
  });

  test("follows the system's own", () => {
    const clock = slewedClock();
    for (let step = 0; step < 1_000; step++) {
      const before = Date.now();
      const now = clock.now();
      assert.ok(now >= before - 5 && now <= Date.now() + 5, `${now} at ${before}`);
    }
  });

  test("does not jump forward: 24 hours take 16, and two days later it shows what the wall clock does", () => {
    const machine = new Machine();
    const { now } = slewedClock(machine);
    machine.jump(DAY);
    assert.equal(now(), START);
    assert.equal(timeFor(machine, now, DAY), 16 * HOUR);
    machine.pass(2 * DAY - 16 * HOUR);
    assert.equal(now(), machine.wall());
    assert.equal(timeFor(machine, now, DAY), DAY);
  });

  test("does not go back: 24 hours take 48, and then it shows what the wall clock does", () => {
    const machine = new Machine();
    const { now } = slewedClock(machine);
    machine.jump(-DAY);
    assert.equal(now(), START);
    assert.equal(timeFor(machine, now, DAY), 2 * DAY);
    assert.equal(now(), machine.wall());
    assert.equal(timeFor(machine, now, DAY), DAY);
  });

  test("takes a jump there and back as if it had not been", () => {
    const machine = new Machine();
    const { now } = slewedClock(machine);
    machine.jump(DAY);
    now();
    machine.pass(1_000);
    now();
    machine.jump(-DAY);
    machine.pass(1_000);
    assert.equal(now(), machine.wall());
  });

  test("absorbs a small step within twice its length", () => {
    const machine = new Machine();
    const { now } = slewedClock(machine);
    machine.jump(300);
    assert.equal(now(), START);
    machine.pass(600);
    assert.equal(now(), machine.wall());
  });

  test("counts the time that the machine slept", () => {
    const machine = new Machine();
    const { now } = slewedClock(machine);
    for (const hours of [8, 1]) {
      machine.pass(HOUR);
      now();
      machine.sleep(hours * HOUR);
      assert.ok(Math.abs(now() - machine.wall()) <= 10);
    }
  });

  test("counts no more than that, where the wall clock was put as well", () => {
    const machine = new Machine();
    const { now } = slewedClock(machine);
    machine.sleep(8 * HOUR);
    machine.jump(DAY);
    // The half of it that it may run faster by, had it been awake.
    assert.ok(now() - START <= 12 * HOUR);
    assert.ok(now() - START >= 8 * HOUR);
  });

  test("runs at no less than half the speed, and no more than half as fast again, whatever the wall clock does", () => {
    const step = fc.record({
      passed: fc.integer({ min: 0, max: 2 * HOUR }),
      jump: fc.oneof(
        fc.constant(0),
        fc.integer({ min: -100 * DAY, max: 100 * DAY }),
        fc.integer({ min: -50, max: 50 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const machine = new Machine();
        const { now } = slewedClock(machine);
        let last = now();
        let passed = 0;
        for (const { passed: more, jump } of steps) {
          machine.jump(jump);
          machine.pass(more);
          passed += more;
          const time = now();
          assert.ok(time >= last, "it went back");
          last = time;
          // It shows the wall clock's milliseconds where it is as near to it as this.
          assert.ok(time - START >= passed * 0.5 - 11, `${time - START} in ${passed}`);
          assert.ok(time - START <= passed * 1.5 + 11, `${time - START} in ${passed}`);
          assert.ok(Number.isInteger(time));
        }
      }),
      { seed: Number(process.env.POSTHASTE_SEED ?? 20_261_123), numRuns: 500 },
    );
  });
});
