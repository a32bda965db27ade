import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { faultsWith } from "../support/declaration.ts";

suite("Every option has a value of its type and range", () => {
  for (const [option, wrong, expected, right] of [
    ["id", ["serial", "UUID", 1, true], '"integer", "uuid" or "client"', ["integer", "client"]],
    ["timestamps", ["yes", 1, ["createdAt"]], "true or false", [true, false]],
    ["onParentDelete", ["restrict", true], '"refuse" or "cascade"', ["refuse", "cascade"]],
    [
      "maxBodyBytes",
      [0, -1, 1.5, "10mb", "1000", 2 ** 31],
      "a whole number of bytes from 1 to 1,073,741,824",
      [1, 1_073_741_824],
    ],
    ["rules", ["x", {}, [1], [() => {}, "x"]], "an array of functions", [[], [() => {}]]],
    ["created", ["x", [() => {}], true], "a function", [() => {}, async () => {}]],
    ["updated", ["x"], "a function", [() => {}]],
    ["deleted", ["x"], "a function", [() => {}]],
    ["description", [1, ["x"]], "a string", ["", "Things."]],
    [
      "ifMatch",
      ["always", "Required", true, false, null, ["required"]],
      '"optional" or "required"',
      ["optional", "required"],
    ],
  ] as const) {
    test(option, () => {
      for (const value of wrong) {
        assert.deepEqual(faultsWith({ [option]: value }), [
          {
            where: `things.${option}`,
            fault: `${JSON.stringify(value)} is not ${expected}.`,
            mend: `Write ${expected}, or leave it out for the default.`,
          },
        ]);
      }
      for (const value of right) assert.deepEqual(faultsWith({ [option]: value }), []);
    });
  }

  for (const option of ["limit", "maxLimit"] as const) {
    test(`list.${option}`, () => {
      for (const value of [0, -5, 1.5, "20", 10_001, null, [20]]) {
        assert.deepEqual(faultsWith({ list: { [option]: value } }), [
          {
            where: `things.list.${option}`,
            fault: `${JSON.stringify(value)} is not a whole number from 1 to 10,000.`,
            mend: "Write a whole number from 1 to 10,000, or leave it out for the default.",
          },
        ]);
      }
      assert.deepEqual(faultsWith({ list: { limit: 1, maxLimit: 10_000, [option]: 50 } }), []);
    });
  }

  for (const operation of ["create", "patch"] as const) {
    const policy = (option: string, value: unknown) =>
      faultsWith({ idempotency: { [operation]: { [option]: value } } });
    const DURATION = 'a duration such as "30 seconds", "24 hours" or "7 days"';

    for (const [option, wrong, expected, right] of [
      [
        "key",
        ["yes", "Required", true, null, ["required"]],
        '"required", "accepted" or "ignored"',
        ["required", "accepted", "ignored"],
      ],
      ["anonymousKeys", ["none", "UUID", true], '"any" or "uuid"', ["any", "uuid"]],
      ...(["keep", "window"] as const).map(
        (name) =>
          [
            name,
            [
              ...["24h", "24", "hours", "24hours", "24  hours", " 24 hours", "24 Hours", "1 week"],
              ...["0 seconds", "-1 hours", "1e3 hours", "0x10 hours", "NaN hours", "1,5 hours"],
              ...["0.1 milliseconds", "4000 days", "99999999999 seconds", "1 month", ""],
              ...[24, 0, 86_400_000, true, null, {}, ["24 hours"]],
            ],
            DURATION,
            ["1 millisecond", "30 seconds", "1 hour", "1.5 hours", "24 hours", "3650 days"],
          ] as const,
      ),
    ] as const) {
      test(`idempotency.${operation}.${option}`, () => {
        for (const value of wrong) {
          assert.deepEqual(policy(option, value), [
            {
              where: `things.idempotency.${operation}.${option}`,
              fault: `${JSON.stringify(value)} is not ${expected}.`,
              mend: `Write ${expected}, or leave it out for the default.`,
            },
          ]);
        }
        for (const value of right) assert.deepEqual(policy(option, value), []);
      });
    }

    test(`idempotency.${operation} that is no policy at all`, () => {
      for (const value of ["required", true, 1, null, []]) {
        const [fault, ...others] = faultsWith({ idempotency: { [operation]: value } });
        assert.equal(
          fault?.where,
          `things.idempotency.${operation}`,
          `${JSON.stringify(value)} is taken, and means nothing`,
        );
        assert.deepEqual(others, []);
      }
    });
  }

  test("idempotency that has no policies", () => {
    for (const value of ["required", true, 1, null, []]) {
      const [fault, ...others] = faultsWith({ idempotency: value });
      assert.equal(
        fault?.where,
        "things.idempotency",
        `${JSON.stringify(value)} is taken, and means nothing`,
      );
      assert.deepEqual(others, []);
    }
    assert.deepEqual(faultsWith({ idempotency: {} }), []);
    assert.deepEqual(faultsWith({ idempotency: { create: {}, patch: {} } }), []);
  });

  test("a page is never larger than the largest, instead of being made smaller in silence", () => {
    const [fault, ...others] = faultsWith({ list: { limit: 50, maxLimit: 10 } });
    assert.equal(fault?.where, "things.list.limit");
    assert.match(fault?.fault ?? "", /10/);
    assert.deepEqual(others, []);
    assert.equal(faultsWith({ list: { limit: 200 } })[0]?.where, "things.list.limit");
  });

  test("a value that can't even be printed is a fault like others", () => {
    const circular: unknown[] = [];
    circular.push(circular);
    for (const maxBodyBytes of [Number.NaN, Number.POSITIVE_INFINITY, 10n, Symbol("x"), circular]) {
      const [fault, ...others] = faultsWith({ maxBodyBytes });
      assert.equal(fault?.where, "things.maxBodyBytes");
      assert.deepEqual(others, []);
    }
  });
});
