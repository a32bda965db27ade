import { identityOf } from "../effects.ts";
import type { Sample } from "../fresh.ts";
import { type Answer, NoAnswer, type Request, succeeded } from "../message.ts";
import { isOtherRecord, otherResult } from "../same-answer.ts";
import type { Scenario } from "../scenario.ts";
import { rest, type Trial } from "../trial.ts";
import { failed, notTested, passed, type Verdict } from "../verdict.ts";
import { DRAFT, POLICY, WORKING } from "./keys-sections.ts";

interface Race {
  readonly sample: Sample;
  readonly request: Request;
  readonly answers: readonly Answer[];
}

async function race(trial: Trial, twins: number): Promise<Race> {
  const sample = trial.sample();
  const request = trial.request(sample.text, { key: trial.key() });
  const all = await trial.race(Array.from({ length: twins }, () => request));
  const answers = all.filter((answer): answer is Answer => !(answer instanceof NoAnswer));
  if (answers.length < all.length) throw all.find((answer) => answer instanceof NoAnswer);
  return { sample, request, answers };
}

async function oneEffect(trial: Trial, twins: number): Promise<Verdict> {
  const { sample, request, answers } = await race(trial, twins);
  const [first, ...others] = answers.filter(succeeded);
  const statuses = [...new Set(answers.map(({ status }) => status))].sort().join(", ");
  const effects = await trial.effects(sample);
  if (effects !== undefined && effects !== 1) return failed(`${effects} records (${statuses})`);
  if (first === undefined) return effects === 1 ? passed(statuses) : failed(`only ${statuses}`);
  const odd = others.find((answer) => isOtherRecord(first, answer, request));
  if (odd !== undefined) return failed(`twins got ${otherResult(first, odd, request)}`);
  if (effects === undefined && identityOf(first, request) === undefined)
    return notTested("effects can't be seen from here");
  return passed(statuses);
}

export const keysTwins: readonly Scenario[] = [
  {
    id: "keys/two-twins",
    rule: "Two requests with the same key at the same moment have one effect",
    level: "must",
    sections: [`${DRAFT} §2.6`],
    needs: WORKING,
    try: (trial) => oneEffect(trial, 2),
  },
  {
    id: "keys/ten-twins",
    rule: "Ten requests with the same key at the same moment have one effect",
    level: "must",
    sections: [`${DRAFT} §2.6`],
    needs: WORKING,
    try: (trial) => oneEffect(trial, 10),
  },
  {
    id: "keys/twins-answers",
    rule: "Each twin gets the one answer, or 409",
    level: "should",
    sections: [`${DRAFT} §2.6`, `${DRAFT} §2.7`],
    needs: [...WORKING, "keys/two-twins", "keys/ten-twins"],
    async try(trial) {
      const { request, answers } = await race(trial, 5);
      const success = answers.find(succeeded);
      const odd = answers.find(
        (answer) =>
          answer.status !== 409 &&
          (success === undefined || isOtherRecord(success, answer, request)),
      );
      return odd === undefined ? passed() : failed(`${odd.status}, neither the answer nor 409`);
    },
  },
  {
    id: "keys/twins-retry-after",
    rule: "A 409 for a twin says in Retry-After when to come again",
    level: "should",
    sections: [`${POLICY}#twins`, "RFC 9110 §10.2.3"],
    needs: [...WORKING, "keys/two-twins", "keys/ten-twins"],
    async try(trial) {
      const { answers } = await race(trial, 5);
      const conflict = answers.find(({ status }) => status === 409);
      if (conflict === undefined) return notTested("no twin was answered with 409");
      return conflict.headers.has("retry-after") ? passed() : failed("409 without Retry-After");
    },
  },
  {
    id: "keys/twins-settle",
    rule: "After the twins are done, the key has the answer of the one that ran",
    level: "must",
    sections: [`${DRAFT} §2.6`, `${POLICY}#twins`],
    needs: [...WORKING, "keys/two-twins", "keys/ten-twins"],
    async try(trial) {
      const { request, answers } = await race(trial, 5);
      const after = await trial.settled(request);
      const success = answers.find(succeeded);
      if (success === undefined)
        return succeeded(after) ? passed() : failed(`no twin succeeded, and then ${after.status}`);
      if (!isOtherRecord(success, after, request)) return passed();
      return failed(`the retry gets ${otherResult(success, after, request)}`);
    },
  },
  {
    id: "keys/hang-up",
    rule: "A retry after the client hung up before the answer finds one effect, and its answer",
    level: "must",
    sections: [`${DRAFT} §1`, `${DRAFT} §2.6`],
    needs: WORKING,
    async try(trial) {
      const sample = trial.sample();
      const request = trial.request(sample.text, { key: trial.key() });
      await trial.hangUp(request, 1);
      await rest(100, trial.place.patience.signal);
      return afterHangUp(trial, sample, request);
    },
  },
  {
    id: "keys/hang-up-in-body",
    rule: "A key is not left hanging by a client that hung up within the body",
    level: "must",
    sections: [`${DRAFT} §1`, `${POLICY}#what-is-stored`],
    needs: WORKING,
    async try(trial) {
      const sample = trial.sample();
      const request = trial.request(sample.text, { key: trial.key() });
      await trial.hangUp(request, 0.9);
      await rest(100, trial.place.patience.signal);
      return afterHangUp(trial, sample, request);
    },
  },
];

async function afterHangUp(trial: Trial, sample: Sample, request: Request): Promise<Verdict> {
  const retry = await trial.settled(request);
  if (!succeeded(retry)) return failed(`the retry gets ${retry.status}`);
  const again = await trial.settled(request);
  if (isOtherRecord(retry, again, request))
    return failed(`a second retry gets ${otherResult(retry, again, request)}`);
  const effects = await trial.effects(sample);
  if (effects === undefined) return passed("told by what the answers name");
  return effects === 1 ? passed() : failed(`${effects} records`);
}
