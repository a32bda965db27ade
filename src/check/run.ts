import type { Patience } from "./client.ts";
import { NoAnswer, refused } from "./message.ts";
import { type Finding, type OperationReport, shownExchanges } from "./report.ts";
import { type Group, groupOf, type Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/index.ts";
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

export interface RunOptions extends Patience {
  readonly progress?: (progress: Progress) => void;
}

/** Tries every scenario with each operation, until the signal is aborted. */
export async function tryAll(
  trials: readonly Trial[],
  secrets: ReadonlySet<string>,
  options: RunOptions,
): Promise<OperationReport[]> {
  const once = scenarios.filter((scenario) => scenario.once).length;
  const of = scenarios.length * trials.length - once * Math.max(trials.length - 1, 0);
  const server = { gone: false };
  const reports: OperationReport[] = [];
  let done = 0;
  for (const [index, trial] of trials.entries()) {
    const run = new OperationRun(trial, secrets, options.signal, server);
    const tried = scenarios.filter((scenario) => index === 0 || !scenario.once);
    for (const scenario of tried) {
      if (options.signal.aborted) break;
      options.progress?.({
        operation: trial.operation.name,
        rule: scenario.rule,
        done: done++,
        of,
      });
      await run.try(scenario);
    }
    await run.end();
    reports.push({ name: trial.operation.name, findings: run.findings });
  }
  return reports;
}

class OperationRun {
  readonly #trial: Trial;
  readonly #secrets: ReadonlySet<string>;
  readonly #signal: AbortSignal;
  /** Shared by the operations of a server: whether it does not answer any more. */
  readonly #server: { gone: boolean };
  #findings: Finding[] = [];
  #group: Group | undefined;
  /** How many findings there were when an ordinary request was last seen to be accepted. */
  #certain = 0;
  /** Why nothing can be tried any more. */
  #over: string | undefined;

  constructor(
    trial: Trial,
    secrets: ReadonlySet<string>,
    signal: AbortSignal,
    server: { gone: boolean },
  ) {
    this.#trial = trial;
    this.#secrets = secrets;
    this.#signal = signal;
    this.#server = server;
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  async try(scenario: Scenario): Promise<void> {
    const group = groupOf(scenario);
    if (group !== this.#group) await this.#control();
    this.#group = group;
    const from = this.#trial.exchanges.length;
    const verdict = this.#leftOut(scenario) ?? (await this.#verdict(scenario));
    if (verdict === undefined) return;
    this.#findings.push(this.#finding(scenario, verdict, from));
    if (verdict.result === "failed") await this.#control();
  }

  /** The last findings are as certain as the others. */
  async end(): Promise<void> {
    await this.#control();
  }

  /**
   * An ordinary request has to be accepted still, or what was just seen has another reason: there
   * is no more of what it takes away, or it can be done only once. Then the findings since the last
   * accepted one tell nothing.
   */
  async #control(): Promise<void> {
    if (this.#over !== undefined || this.#server.gone || this.#signal.aborted) return;
    const { exchanges } = this.#trial;
    const from = exchanges.length;
    try {
      const answer = await this.#trial.post(this.#trial.sample());
      if (refused(answer))
        this.#over = `an ordinary request is not accepted any more: ${answer.status}`;
      else this.#certain = this.#findings.length;
    } catch (error) {
      if (!(error instanceof NoAnswer) && !this.#signal.aborted) throw error;
    }
    exchanges.splice(from);
    if (this.#over === undefined) return;
    const verdict = notTested(this.#over);
    this.#findings = this.#findings.map((finding, index) =>
      index < this.#certain || finding.result === "not-claimed"
        ? finding
        : { ...finding, result: verdict.result, note: this.#over!, exchanges: [] },
    );
  }

  #finding(scenario: Scenario, verdict: Verdict, from: number): Finding {
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
        ? shownExchanges(verdict.shownBy ?? this.#trial.exchanges.slice(from), this.#secrets)
        : [],
    };
  }

  #leftOut({ needs = [], claimedBy }: Scenario): Verdict | undefined {
    if (this.#server.gone) return notTested("the server does not answer any more");
    const unclaimed = this.#findings.find(
      ({ id, result }) => id === claimedBy && result === "not-claimed",
    );
    if (unclaimed !== undefined) return notClaimed(unclaimed.note);
    if (this.#over !== undefined) return notTested(this.#over);
    const broken = this.#findings.find(
      ({ id, result, level }) =>
        result === "failed" && level === "must" && (needs as readonly string[]).includes(id),
    );
    return broken === undefined ? undefined : notTested(`shows nothing while ${broken.id} fails`);
  }

  async #verdict(scenario: Scenario): Promise<Verdict | undefined> {
    try {
      return await scenario.try(this.#trial);
    } catch (error) {
      if (this.#signal.aborted) return undefined;
      if (!(error instanceof NoAnswer)) throw error;
      if (await this.#answersAgain()) return failed(error.message);
      this.#server.gone = true;
      return failed(`the server is down: ${error.message}`, "must");
    }
  }

  /** A server that is started again by its operator's means may take a moment. */
  async #answersAgain(): Promise<boolean> {
    for (let tries = 0; tries < 5; tries++) {
      try {
        await this.#trial.ask("OPTIONS");
        return true;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (!error.refused) return true;
        await rest(300, this.#signal);
      }
    }
    return false;
  }
}
