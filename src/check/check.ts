import type { Patience } from "./client.ts";
import { NoAnswer } from "./message.ts";
import { CannotTry, prepare } from "./prepare.ts";
import { CannotCheck } from "./refusal.ts";
import {
  type Finding,
  type OperationReport,
  type Report,
  shownExchanges,
  summaryOf,
} from "./report.ts";
import { groupOf, type Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/index.ts";
import { secretsOf, type Target } from "./target.ts";
import { rest, type Trial } from "./trial.ts";
import { failed, notClaimed, notTested, type Verdict } from "./verdict.ts";

/** What a check tells while it runs. */
export interface Progress {
  readonly operation: string;
  readonly rule: string;
  /** How many scenarios are done, of how many. */
  readonly done: number;
  readonly of: number;
}

export interface CheckOptions extends Patience {
  readonly progress?: (progress: Progress) => void;
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
  const run = new Run(trials, secretsOf(target), options);
  const operations = await run.all();
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

class Run {
  readonly #trials: readonly Trial[];
  readonly #secrets: ReadonlySet<string>;
  readonly #options: CheckOptions;
  #done = 0;
  /** Set once the server does not answer any more. */
  #gone = false;

  constructor(trials: readonly Trial[], secrets: ReadonlySet<string>, options: CheckOptions) {
    this.#trials = trials;
    this.#secrets = secrets;
    this.#options = options;
  }

  async all(): Promise<OperationReport[]> {
    const reports: OperationReport[] = [];
    for (const [index, trial] of this.#trials.entries()) {
      const findings: Finding[] = [];
      for (const scenario of scenarios) {
        if (scenario.once && index > 0) continue;
        if (this.#options.signal.aborted) break;
        this.#tell(trial, scenario);
        const found = await this.#try(scenario, trial, findings);
        if (found !== undefined) findings.push(found);
      }
      reports.push({ name: trial.operation.name, findings });
    }
    return reports;
  }

  #tell({ operation }: Trial, { rule }: Scenario): void {
    const once = scenarios.filter((each) => each.once).length;
    this.#options.progress?.({
      operation: operation.name,
      rule,
      done: this.#done++,
      of: scenarios.length * this.#trials.length - once * (this.#trials.length - 1),
    });
  }

  async #try(
    scenario: Scenario,
    trial: Trial,
    before: readonly Finding[],
  ): Promise<Finding | undefined> {
    const from = trial.exchanges.length;
    const verdict = leftOut(scenario, before) ?? (await this.#verdict(scenario, trial));
    if (verdict === undefined) return undefined;
    const isFailure = verdict.result === "failed";
    return {
      id: scenario.id,
      group: groupOf(scenario),
      rule: scenario.rule,
      level: isFailure ? (verdict.level ?? scenario.level) : scenario.level,
      result: verdict.result,
      note: isFailure ? verdict.found : (verdict.note ?? ""),
      sections: scenario.sections,
      exchanges: isFailure
        ? shownExchanges(verdict.shownBy ?? trial.exchanges.slice(from), this.#secrets)
        : [],
    };
  }

  async #verdict(scenario: Scenario, trial: Trial): Promise<Verdict | undefined> {
    if (this.#gone) return notTested("the server does not answer any more");
    try {
      return await scenario.try(trial);
    } catch (error) {
      if (this.#options.signal.aborted) return undefined;
      if (!(error instanceof NoAnswer)) throw error;
      if (await this.#answersAgain(trial)) return failed(error.message);
      this.#gone = true;
      return failed(`the server is down: ${error.message}`, "must");
    }
  }

  /** A server that is started again by its operator's means may take a moment. */
  async #answersAgain(trial: Trial): Promise<boolean> {
    for (let tries = 0; tries < 5; tries++) {
      try {
        await trial.ask("OPTIONS");
        return true;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (!error.refused) return true;
        await rest(300, this.#options.signal);
      }
    }
    return false;
  }
}

function leftOut({ needs = [], claimedBy }: Scenario, before: readonly Finding[]) {
  const unclaimed = before.find(({ id, result }) => id === claimedBy && result === "not-claimed");
  if (unclaimed !== undefined) return notClaimed(unclaimed.note);
  const broken = before.find(
    ({ id, result, level }) =>
      result === "failed" && level === "must" && (needs as readonly string[]).includes(id),
  );
  return broken === undefined ? undefined : notTested(`shows nothing while ${broken.id} fails`);
}

/** Removes the records that were made, the last one first; what can't be removed stays. */
async function clean(trials: readonly Trial[]): Promise<void> {
  for (const trial of trials) {
    for (const made of [...trial.made].reverse())
      await trial.ask("DELETE", new URL(made)).catch(() => {});
  }
}
