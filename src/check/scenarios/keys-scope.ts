import { refused, succeeded } from "../message.ts";
import { isOtherRecord } from "../same-answer.ts";
import type { Scenario } from "../scenario.ts";
import { failed, notTested, passed } from "../verdict.ts";
import { DRAFT, POLICY, WORKING } from "./keys-sections.ts";

export const keysScope: readonly Scenario[] = [
  {
    id: "keys/two-paths",
    rule: "The same key on another path is another key",
    level: "must",
    sections: [`${DRAFT} §2.2`, `${POLICY}#scope`],
    needs: WORKING,
    async try(trial) {
      const { neighbour } = trial;
      if (neighbour === undefined) return notTested("no other operation here takes keys");
      const key = trial.key();
      const request = trial.request(trial.sample().text, { key });
      const first = await trial.send(request);
      const sample = neighbour.sample();
      const second = await trial.send(neighbour.request(sample.text, { key }));
      const { name } = neighbour.operation;
      if (succeeded(second)) {
        const same = !isOtherRecord(first, second, request);
        return same ? failed(`${name} gives the answer of ${trial.operation.name}`) : passed(name);
      }
      const { status } = await neighbour.post(neighbour.sample());
      if (status >= 300) return notTested(`an ordinary ${name} gets ${status}`);
      // The draft leaves it to the server what a key is unique within.
      return failed(
        `${name} answers ${second.status} to a key of ${trial.operation.name}`,
        "should",
      );
    },
  },
  {
    id: "keys/other-principal",
    rule: "Somebody else with the same key never gets the first one's answer",
    level: "must",
    sections: [`${POLICY}#scope`, "draft-ietf-httpapi-idempotency-key-header-07 §5"],
    needs: WORKING,
    async try(trial) {
      if (trial.place.as.length === 0) return notTested("needs a second identity (--as)");
      const own = await trial.post(trial.sample(), { who: "second" });
      if (!succeeded(own)) return notTested(`the second identity gets ${own.status}`);
      const key = trial.key();
      const { text } = trial.sample();
      const request = trial.request(text, { key });
      const first = await trial.send(request);
      const same = await trial.post(text, { key, who: "second" });
      if (succeeded(same))
        return isOtherRecord(first, same, request) ? passed() : failed("it was given away");
      // Refused perhaps because the data has to be unique: so with data of its own.
      const another = trial.key();
      await trial.post(trial.sample(), { key: another });
      const { status } = await trial.post(trial.sample(), { key: another, who: "second" });
      if (status >= 200 && status < 300) return passed();
      return failed(`${status}: somebody else's key is in the way`, "should");
    },
  },
  {
    id: "keys/needs-credentials",
    rule: "A replay needs the credentials that the request needs",
    level: "must",
    sections: [`${POLICY}#replay`, "draft-ietf-httpapi-idempotency-key-header-07 §5"],
    needs: WORKING,
    async try(trial) {
      const open = await trial.post(trial.sample(), { who: "nobody" });
      if (!refused(open) || ![401, 403].includes(open.status))
        return notTested("it needs no credentials");
      const key = trial.key();
      const sample = trial.sample();
      await trial.post(sample, { key });
      const replay = await trial.post(sample, { key, who: "nobody" });
      return succeeded(replay)
        ? failed(`${replay.status}: the answer was given to somebody unknown`)
        : passed(String(replay.status));
    },
  },
];
