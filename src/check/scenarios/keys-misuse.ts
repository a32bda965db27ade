import { type Answer, refused, succeeded } from "../message.ts";
import { isOtherRecord, otherResult } from "../same-answer.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { failed, noted, notTested, passed } from "../verdict.ts";
import { DRAFT, POLICY, WORKING } from "./keys-sections.ts";

/** A request with a key, and then another payload with the same key. */
async function misuse(trial: Trial) {
  const key = trial.key();
  const [sample, other] = [trial.sample(), trial.sample()];
  const request = trial.request(sample.text, { key });
  const first = await trial.send(request);
  const second = await trial.post(other, { key });
  return { request, other, first, second };
}

export const keysMisuse: readonly Scenario[] = [
  {
    id: "keys/other-payload",
    rule: "The same key with another payload is refused",
    level: "must",
    sections: [`${DRAFT} §2.7`, `${DRAFT} §2.2`],
    needs: WORKING,
    async try(trial) {
      if (Object.keys(trial.operation.fresh).length === 0)
        return notTested("no second payload can be made up");
      const { request, other, first, second } = await misuse(trial);
      const effects = await trial.effects(other);
      if (effects !== undefined && effects > 0)
        return failed(`${second.status}: the other payload was processed as well`);
      if (refused(second)) return passed(String(second.status));
      if (!succeeded(second)) return failed(`${second.status}, not 4xx`, "should");
      return isOtherRecord(first, second, request)
        ? failed(`${second.status}: the other payload was processed as well`)
        : failed("the answer to the first payload is given for the other one");
    },
  },
  {
    id: "keys/other-payload-422",
    rule: "The refusal of another payload is 422",
    level: "should",
    sections: [`${DRAFT} §2.7`],
    needs: [...WORKING, "keys/other-payload"],
    async try(trial) {
      if (Object.keys(trial.operation.fresh).length === 0)
        return notTested("no second payload can be made up");
      const { second } = await misuse(trial);
      return second.status === 422 ? passed() : failed(`${second.status}, not 422`);
    },
  },
  {
    id: "keys/kept-through-misuse",
    rule: "A key's answer is still there after somebody used the key with another payload",
    level: "must",
    sections: [`${DRAFT} §2.6`, `${POLICY}#misuse`],
    needs: WORKING,
    async try(trial) {
      if (Object.keys(trial.operation.fresh).length === 0)
        return notTested("no second payload can be made up");
      const { request, first } = await misuse(trial);
      const retry = await trial.settled(request);
      if (!isOtherRecord(first, retry, request)) return passed();
      return failed(`the retry of the first gets ${otherResult(first, retry, request)}`);
    },
  },
  {
    id: "keys/after-invalid",
    rule: "A key is not left hanging by a body that is not valid",
    level: "must",
    sections: [`${DRAFT} §2.7`, `${POLICY}#what-is-stored`],
    needs: [...WORKING, "bodies/invalid"],
    async try(trial) {
      const { invalid } = trial.operation;
      if (invalid === undefined) return notTested("nothing tells which bodies are invalid");
      const key = trial.key();
      const wrong = trial.request(JSON.stringify(invalid.value), { key });
      const first = await trial.send(wrong);
      const again = await trial.settled(wrong);
      if (again.status !== first.status)
        return failed(`${again.status} for the same invalid body, ${first.status} at first`);
      const right = await trial.settled(trial.request(trial.sample().text, { key }));
      if (succeeded(right)) return passed("the corrected body is accepted with the same key");
      if (right.status === 409) return failed("409 for the corrected body: the key hangs");
      if (right.status === 422) return passed("the corrected body needs a new key (422)");
      return noted(`${right.status} for the corrected body`);
    },
  },
  {
    id: "keys/after-unsupported",
    rule: "A key is not left hanging by a request that was refused for its type",
    level: "must",
    sections: [`${POLICY}#what-is-stored`],
    needs: WORKING,
    async try(trial) {
      const key = trial.key();
      const sample = trial.sample();
      const first = await trial.post(sample, { key, contentType: "text/plain" });
      if (succeeded(first)) return notTested("the type was accepted");
      const right = await trial.settled(trial.request(sample.text, { key }));
      if (succeeded(right)) return passed();
      if (right.status === 422) return passed("the right type needs a new key (422)");
      return failed(`${right.status} for the right type`);
    },
  },
  {
    id: "keys/conflict",
    rule: "A refusal that was decided by the data is the key's answer, and stays it",
    level: "should",
    sections: [`${DRAFT} §2.6`, `${POLICY}#what-is-stored`],
    needs: WORKING,
    async try(trial) {
      const sample = trial.sample();
      await trial.post(sample);
      const request = trial.request(sample.text, { key: trial.key() });
      const refusal = await trial.send(request);
      if (!refused(refusal)) return notTested("nothing in the body has to be unique");
      const again = await trial.send(request);
      if (again.status !== refusal.status)
        return failed(`${again.status} instead of ${refusal.status}`);
      return passed(sameBytes(refusal, again) ? "replayed" : "refused again, with another body");
    },
  },
];

function sameBytes(a: Answer, b: Answer): boolean {
  return a.body.equals(b.body);
}
