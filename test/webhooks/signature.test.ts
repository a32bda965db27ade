import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { generateWebhookSecret, parseWebhookSecret } from "../../src/webhooks/secret.ts";
import {
  signWebhook,
  verifyWebhook,
  WebhookVerificationError,
} from "../../src/webhooks/signature.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const body = '{"type":"user.created","data":{"name":"Žofia 🎉"}}';
const timestamp = 1_614_265_330;
const clock = { now: () => timestamp * 1_000 };
const seconds = () => Math.floor(Date.now() / 1_000);
const headersOf = (content = { id, timestamp, body }, secrets = [secret]) => ({
  ...signWebhook(content, secrets),
});

const refuses = (verify: () => unknown, sentence: RegExp) =>
  assert.throws(verify, (error) => {
    assert.ok(error instanceof WebhookVerificationError, String(error));
    assert.match(error.message, sentence);
    return true;
  });

suite("Webhook secrets", () => {
  test("are whsec_ and the Base64 of 32 random bytes, each time others", () => {
    const secrets = Array.from({ length: 100 }, generateWebhookSecret);
    assert.equal(new Set(secrets).size, 100);
    for (const each of secrets) {
      assert.match(each, /^whsec_[A-Za-z0-9+/]{43}=$/);
      assert.equal(parseWebhookSecret(each).length, 32);
    }
  });

  test("of 24 to 64 bytes are read", () => {
    for (const length of [24, 64]) {
      const key = Buffer.alloc(length, 7);
      assert.deepEqual(parseWebhookSecret(`whsec_${key.toString("base64")}`), key);
    }
  });

  const written = Buffer.alloc(32, 251).toString("base64");
  for (const wrong of [
    "",
    "whsec_",
    written,
    `WHSEC_${written}`,
    `whsk_${written}`,
    `whsec_${Buffer.alloc(23).toString("base64")}`,
    `whsec_${Buffer.alloc(65).toString("base64")}`,
    `whsec_${written.slice(0, -1)}`,
    `whsec_${written.replace("+", "-")}`,
    `whsec_${written}\n`,
    ` whsec_${written}`,
    `whsec_${written.slice(0, 10)}!${written.slice(11)}`,
  ]) {
    test(`${JSON.stringify(wrong)} is none, and not repeated`, () => {
      assert.throws(
        () => parseWebhookSecret(wrong),
        (error) => {
          assert.ok(error instanceof TypeError);
          assert.ok(wrong.length < 10 || !error.message.includes(wrong.slice(8, 20)));
          return true;
        },
      );
    });
  }
});

suite("Webhook signatures", () => {
  test("are those that the Standard Webhooks library makes", () => {
    const theirs = new Webhook(secret).sign(id, new Date(timestamp * 1_000), body);
    assert.deepEqual(headersOf(), {
      "webhook-id": id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": theirs,
    });
  });

  test("are verified by that library, text and bytes alike", () => {
    for (const each of [secret, generateWebhookSecret()]) {
      const content = { id, timestamp: seconds(), body };
      const headers = headersOf(content, [each]);
      assert.deepEqual(new Webhook(each).verify(body, headers), JSON.parse(body));
      const bytes = signWebhook({ ...content, body: Buffer.from(body) }, [each]);
      assert.deepEqual(bytes, headers);
      assert.throws(() => new Webhook(each).verify(`${body} `, headers), /No matching signature/);
    }
  });

  test("of that library are verified by us", () => {
    const signature = new Webhook(secret).sign(id, new Date(timestamp * 1_000), body);
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signature,
    };
    const verified = verifyWebhook(headers, Buffer.from(body), [secret], { clock });
    assert.deepEqual(verified, { id, timestamp });
  });

  test("during a rotation fit for who knows the old secret and for who knows the new one", () => {
    const [current, old, other] = [secret, generateWebhookSecret(), generateWebhookSecret()];
    const content = { id, timestamp: seconds(), body };
    const headers = headersOf(content, [current, old]);
    assert.match(headers["webhook-signature"], /^v1,\S{44} v1,\S{44}$/);
    for (const known of [current, old]) {
      assert.ok(new Webhook(known).verify(body, headers));
      verifyWebhook(headers, body, [known]);
      verifyWebhook(headers, body, [other, known]);
    }
    assert.throws(() => new Webhook(other).verify(body, headers));
    refuses(() => verifyWebhook(headers, body, [other]), /No signature/);
  });

  test("cover id, timestamp and body", () => {
    const headers = headersOf();
    const verify = (change: object, text = body) =>
      verifyWebhook({ ...headers, ...change }, text, [secret], { clock });
    verify({});
    refuses(() => verify({ "webhook-id": `${id}x` }), /No signature/);
    refuses(() => verify({ "webhook-timestamp": "1614265331" }), /No signature/);
    refuses(() => verify({}, `${body}\n`), /No signature/);
    refuses(() => verify({ "webhook-signature": "v1,AAAA" }), /No signature/);
    refuses(() => verify({ "webhook-signature": "" }), /No signature/);
    const other = headers["webhook-signature"];
    refuses(() => verify({ "webhook-signature": other.replace("v1,", "v1a,") }), /No signature/);
    refuses(() => verify({ "webhook-signature": other.replace("v1,", "v2,") }), /No signature/);
    verify({ "webhook-signature": `v1a,AAAA v1,BBBB ${other}` });
    const tooMany = `${"v1,AAAA ".repeat(10)}${other}`;
    refuses(() => verify({ "webhook-signature": tooMany }), /No signature/);
  });

  test("of an id with a full stop are neither made nor accepted", () => {
    // "a.1614265330" at 7, and "a" at 1614265330 with the body "7.{}", would be signed the same.
    const theirs = new Webhook(secret).sign("a.1614265330", new Date(7_000), "{}");
    const same = new Webhook(secret).sign("a", new Date(timestamp * 1_000), "7.{}");
    assert.equal(theirs, same);
    const headers = {
      "webhook-id": "a.1614265330",
      "webhook-timestamp": "7",
      "webhook-signature": theirs,
    };
    const clockThen = { now: () => 7_000 };
    refuses(() => verifyWebhook(headers, "{}", [secret], { clock: clockThen }), /malformed/);
    for (const wrong of ["a.b", "", "a b", "ü", "a\r\nb", "a".repeat(257)]) {
      assert.throws(() => signWebhook({ id: wrong, timestamp, body }, [secret]), TypeError, wrong);
    }
    signWebhook({ id: "a".repeat(256), timestamp, body }, [secret]);
  });

  test("need one to ten secrets, and a whole number of seconds", () => {
    const sign = (at: number, count: number) =>
      signWebhook({ id, timestamp: at, body }, Array(count).fill(secret));
    sign(0, 1);
    sign(timestamp, 10);
    assert.throws(() => sign(timestamp, 0), TypeError);
    assert.throws(() => sign(timestamp, 11), TypeError);
    for (const at of [1.5, -1, Number.NaN, 1e16]) assert.throws(() => sign(at, 1), TypeError);
  });

  test("are too old or of the future beyond the tolerance, to the second", () => {
    const headers = headersOf();
    const at = (offset: number, toleranceSeconds?: number) => () =>
      verifyWebhook(headers, body, [secret], {
        clock: { now: () => (timestamp + offset) * 1_000 },
        ...(toleranceSeconds !== undefined && { toleranceSeconds }),
      });
    for (const offset of [-300, 0, 300]) at(offset)();
    refuses(at(301), /too old/);
    refuses(at(-301), /of the future/);
    at(10, 10)();
    refuses(at(11, 10), /too old/);
  });

  test("with header fields that are missing, double or malformed are refused", () => {
    const headers = headersOf();
    for (const name of Object.keys(headers)) {
      for (const value of [undefined, [headers["webhook-id"], "x"]]) {
        const broken = { ...headers, [name]: value };
        refuses(() => verifyWebhook(broken, body, [secret], { clock }), /one webhook-id/);
      }
    }
    for (const written of ["", "1614265330.0", " 1614265330", "0x6037BB72", "1e9", "-1", "01"]) {
      const broken = { ...headers, "webhook-timestamp": written };
      refuses(() => verifyWebhook(broken, body, [secret], { clock }), /malformed/);
    }
  });

  test("are never verified without a secret, or with one that can't be used", () => {
    refuses(() => verifyWebhook(headersOf(), body, [], { clock }), /No signature/);
    assert.throws(() => verifyWebhook(headersOf(), body, ["x"], { clock }), TypeError);
  });
});
