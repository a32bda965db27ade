import { NoAnswer } from "./message.ts";
import { CannotTry, prepare } from "./prepare.ts";
import { CannotCheck } from "./refusal.ts";
import { type Report, summaryOf } from "./report.ts";
import { type RunOptions, tryAll } from "./run.ts";
import { secretsOf, type Target } from "./target.ts";
import type { Trial } from "./trial.ts";

export interface CheckOptions extends RunOptions {
  /** Removes what was made, where DELETE is offered. */
  readonly clean?: boolean;
}

/**
 * Tries every scenario with every operation of the target, one after the other. When the signal is
 * aborted, the report has what was found until then.
 *
 * @throws {CannotCheck} where no operation can be tried.
 */
export async function check(target: Target, options: CheckOptions): Promise<Report> {
  const skipped = [...target.skipped];
  const trials: Trial[] = [];
  for (const operation of target.operations) {
    try {
      trials.push(await prepare(operation, target, options));
    } catch (error) {
      if (options.signal.aborted) break;
      if (error instanceof CannotTry) skipped.push({ name: operation.name, reason: error.message });
      else if (error instanceof NoAnswer)
        throw new CannotCheck(`${target.base} can't be reached: ${error.message}.`);
      else throw error;
    }
  }
  if (trials.length === 0 && !options.signal.aborted) throw new CannotCheck(nothingToTry(skipped));
  introduce(trials);
  const operations = await tryAll(trials, secretsOf(target), options);
  if (options.clean === true) await clean(trials);
  return {
    base: target.base,
    document: target.document,
    operations,
    skipped,
    summary: summaryOf(operations),
    stopped: options.signal.aborted,
  };
}

function nothingToTry(skipped: Report["skipped"]): string {
  if (skipped.length === 0) return "There is no POST operation that takes JSON.";
  const reasons = skipped.map(({ name, reason }) => `\n  ${name}: ${reason}`);
  return `No operation can be tried:${reasons.join("")}\nGive examples in the document, or describe the operations with --config.`;
}

/** Each operation learns of another one that takes keys. */
function introduce(trials: readonly Trial[]): void {
  const withKeys = trials.filter(({ operation }) => operation.keys.claim !== "unknown");
  for (const trial of withKeys) {
    trial.neighbour = withKeys.find(({ place }) => place.url.pathname !== trial.place.url.pathname);
  }
}

/** Removes the records that were made, the last one first; what can't be removed stays. */
async function clean(trials: readonly Trial[]): Promise<void> {
  for (const trial of trials) {
    for (const made of [...trial.made].reverse())
      await trial.ask("DELETE", new URL(made)).catch(() => {});
  }
}
