import { type DeclarationFault, resourcesOf, type VerifyRule } from "./fault.ts";
import {
  idempotencyValues,
  isFunction,
  isOptions,
  OPTIONS,
  type Option,
  oneOf,
  outOfRange,
  whole,
} from "./range.ts";

/** Every option is of the type, and within the range, that the types promise. */
export const valuesAreInRange: VerifyRule = (api) =>
  resourcesOf(api).flatMap(({ key, resource: { config } }): DeclarationFault[] => {
    const list = (config.list ?? {}) as { limit?: unknown; maxLimit?: unknown };
    const options: Option[] = [
      {
        name: "id",
        value: config.id,
        allowed: oneOf("integer", "uuid", "client"),
        expected: '"integer", "uuid" or "client"',
      },
      {
        name: "timestamps",
        value: config.timestamps,
        allowed: oneOf(true, false),
        expected: "true or false",
      },
      {
        name: "onParentDelete",
        value: config.onParentDelete,
        allowed: oneOf("refuse", "cascade"),
        expected: '"refuse" or "cascade"',
      },
      {
        name: "maxBodyBytes",
        value: config.maxBodyBytes,
        allowed: whole(1, 1_073_741_824),
        expected: "a whole number of bytes from 1 to 1,073,741,824",
      },
      {
        name: "list.maxLimit",
        value: list.maxLimit,
        allowed: whole(1, 10_000),
        expected: "a whole number from 1 to 10,000",
      },
      {
        name: "list.limit",
        value: list.limit,
        allowed: whole(1, 10_000),
        expected: "a whole number from 1 to 10,000",
      },
      {
        name: "rules",
        value: config.rules,
        allowed: (value) => Array.isArray(value) && value.every(isFunction),
        expected: "an array of functions",
      },
      { name: "created", value: config.created, allowed: isFunction, expected: "a function" },
      { name: "updated", value: config.updated, allowed: isFunction, expected: "a function" },
      { name: "deleted", value: config.deleted, allowed: isFunction, expected: "a function" },
      {
        name: "description",
        value: config.description,
        allowed: (value) => typeof value === "string",
        expected: "a string",
      },
    ];
    options.push({
      name: "ifMatch",
      value: config.ifMatch,
      allowed: oneOf("optional", "required"),
      expected: '"optional" or "required"',
    });
    const { idempotency = {} } = config;
    options.push({
      name: "idempotency",
      value: idempotency,
      allowed: isOptions,
      expected: OPTIONS,
    });
    for (const [operation, policy] of isOptions(idempotency) ? Object.entries(idempotency) : [])
      options.push(...idempotencyValues(`idempotency.${operation}`, policy));
    const { limit, maxLimit = 100 } = list;
    if (whole(1, 10_000)(limit) && whole(1, 10_000)(maxLimit) && Number(limit) > Number(maxLimit)) {
      options.push({
        name: "list.limit",
        value: limit,
        allowed: () => false,
        expected: `at most list.maxLimit, which is ${String(maxLimit)}${list.maxLimit === undefined ? " by default" : ""}`,
      });
    }
    return outOfRange(key, options);
  });
