import { millisecondsOf } from "../../kernel/duration.ts";
import type { DeclarationFault } from "./fault.ts";

/** An option, and what it may be. */
export interface Option {
  readonly name: string;
  readonly value: unknown;
  readonly allowed: (value: unknown) => boolean;
  readonly expected: string;
}

export const whole = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
export const oneOf =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);
export const isFunction = (value: unknown) => typeof value === "function";

function shown(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return "The value";
  }
}

export const isDuration = (value: unknown) =>
  typeof value === "string" && (millisecondsOf(value) ?? 0) > 0;
export const DURATION = 'a duration such as "30 seconds", "24 hours" or "7 days"';

export const isOptions = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const OPTIONS = "an object of options";

export function idempotencyValues(name: string, policy: unknown): Option[] {
  if (!isOptions(policy)) return [{ name, value: policy, allowed: isOptions, expected: OPTIONS }];
  const { key, keep, window, anonymousKeys } = (policy ?? {}) as Record<string, unknown>;
  return [
    {
      name: `${name}.key`,
      value: key,
      allowed: oneOf("required", "accepted", "ignored"),
      expected: '"required", "accepted" or "ignored"',
    },
    { name: `${name}.keep`, value: keep, allowed: isDuration, expected: DURATION },
    { name: `${name}.window`, value: window, allowed: isDuration, expected: DURATION },
    {
      name: `${name}.anonymousKeys`,
      value: anonymousKeys,
      allowed: oneOf("any", "uuid"),
      expected: '"any" or "uuid"',
    },
  ];
}

/** What is wrong with options that were given. */
export function outOfRange(key: string, options: readonly Option[]): DeclarationFault[] {
  return options
    .filter(({ value, allowed }) => value !== undefined && !allowed(value))
    .map(({ name, value, expected }) => ({
      where: `${key}.${name}`,
      fault: `${shown(value)} is not ${expected}.`,
      mend: `Write ${expected}, or leave it out for the default.`,
    }));
}
