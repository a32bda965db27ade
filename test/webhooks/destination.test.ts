import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { suite, test } from "node:test";
import {
  DestinationError,
  type DestinationGuard,
  type DestinationPolicy,
  destinationGuard,
} from "../../src/webhooks/destination.ts";

const guard = destinationGuard();

function refusal(url: string, policy?: DestinationPolicy): DestinationError {
  try {
    destinationGuard(policy).check(url);
  } catch (error) {
    assert.ok(error instanceof DestinationError, String(error));
    return error;
  }
  assert.fail(`${url} was allowed`);
}

/** What a connection would be given for a name that resolves to `addresses`. */
function looksUp(
  addresses: readonly string[],
  policy: DestinationPolicy = {},
  options: { all?: boolean; family?: 4 | 6 } = { all: true },
): Promise<LookupAddress[]> {
  const resolve = async () => addresses.map((address) => ({ address }));
  return look(destinationGuard({ ...policy, resolve }), options);
}

function look(
  { lookup }: DestinationGuard,
  options: { all?: boolean; family?: 4 | 6 },
): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup("hooks.example.com", options, (error, address, family) => {
      if (error) return reject(error);
      resolve(Array.isArray(address) ? address : [{ address, family: family! }]);
    });
  });
}

/** Addresses that are not somebody's on the internet, each range by its first, last and more. */
const special: Readonly<Record<string, readonly string[]>> = {
  "this network": ["0.0.0.0", "0.0.0.1", "0.255.255.255"],
  private: [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
  ],
  "shared by carriers": ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
  loopback: ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"],
  "link-local": [
    "169.254.0.0",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.255.255",
    "fe80::1",
    "febf:ffff::1",
  ],
  "for protocols": [
    "192.0.0.0",
    "192.0.0.192",
    "192.0.0.255",
    "2001:1::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
  ],
  "for documentation": [
    "192.0.2.1",
    "198.51.100.255",
    "203.0.113.0",
    "2001:db8::1",
    "2001:db8:ffff::1",
    "3fff::1",
    "3fff:fff::1",
  ],
  "a 6to4 relay": ["192.88.99.1"],
  "for benchmarks": ["198.18.0.0", "198.19.255.255"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
  reserved: [
    "240.0.0.0",
    "255.255.255.255",
    "::2",
    "1fff:ffff::1",
    "4000::1",
    "5f00::1",
    "100::1",
    "::7f00:1",
    "::ffff:0:127.0.0.1",
  ],
  "a cloud's own": ["168.63.129.16"],
  unspecified: ["::", "0:0:0:0:0:0:0:0"],
  "IPv4 in IPv6": [
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:8.8.8.8",
    "0:0:0:0:0:ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a00:1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
  ],
  "private \\(unique local\\)": ["fc00::1", "fd00:ec2::254", "fdff:ffff::1"],
  "private \\(site-local\\)": ["fec0::1", "feff::1"],
};

suite("Addresses where webhooks can't go", () => {
  for (const [what, addresses] of Object.entries(special)) {
    for (const address of addresses) {
      test(`${address}: ${what}`, async () => {
        const host = address.includes(":") ? `[${address}]` : address;
        assert.match(refusal(`https://${host}/`).message, new RegExp(` is ${what}`));
        await assert.rejects(looksUp([address]), (error) => {
          assert.ok(error instanceof DestinationError, String(error));
          assert.match(error.message, new RegExp(`hooks\\.example\\.com leads to .* is ${what}`));
          return true;
        });
      });
    }
  }

  /** Other ways to write them, as browsers understand them as well. */
  const notations: Readonly<Record<string, string>> = {
    "https://2130706433/": "127.0.0.1",
    "https://0x7f000001/": "127.0.0.1",
    "https://017700000001/": "127.0.0.1",
    "https://127.1/": "127.0.0.1",
    "https://127.0.1/": "127.0.0.1",
    "https://0x7f.1/": "127.0.0.1",
    "https://0177.0.0.01/": "127.0.0.1",
    "https://127.0.0.1./": "127.0.0.1",
    "https://127.0.0.1:443/": "127.0.0.1",
    "https://%31%32%37.0.0.1/": "127.0.0.1",
    "https://127.0.0.%31/": "127.0.0.1",
    "https://①②⑦.⓪.⓪.①/": "127.0.0.1",
    "https://１２７.０.０.１/": "127.0.0.1",
    "https://127。0。0。1/": "127.0.0.1",
    "https:127.0.0.1/": "127.0.0.1",
    "https:\\\\127.0.0.1\\": "127.0.0.1",
    "HTTPS://0/": "0.0.0.0",
    "https://0x0/": "0.0.0.0",
    "https://0xa9fea9fe/": "169.254.169.254",
    "https://2852039166/": "169.254.169.254",
    "https://169.16689662/": "169.254.169.254",
    "https://0251.0376.0251.0376/": "169.254.169.254",
    "https://0300.0250.1/": "192.168.0.1",
    "https://10.1/": "10.0.0.1",
    "https://4294967295/": "255.255.255.255",
    "https://[::127.0.0.1]/": "::7f00:1",
    "https://[::FFFF:127.0.0.1]/": "::ffff:7f00:1",
    "https://[0000:0000:0000:0000:0000:ffff:7f00:0001]/": "::ffff:7f00:1",
    "https://[0:0::1]/": "::1",
    "https://[64:ff9b::127.0.0.1]/": "64:ff9b::7f00:1",
  };
  for (const [url, address] of Object.entries(notations)) {
    test(`${url} is ${address}`, () => {
      assert.ok(refusal(url).message.includes(`: ${address} is `));
    });
  }

  for (const url of [
    "",
    "hooks.example.com",
    "//hooks.example.com/",
    "https://",
    "https:///",
    "https://[fe80::1%25eth0]/",
    "https://256.1.1.1/",
    "https://1.2.3.4.5/",
    "https://0x1ffffffff/",
    "https://hooks.example.com%00.evil.example/",
    "https://127.0.0.1%0d%0a.example.com/",
    "https://hooks.exam\nple.com/",
    "https://hooks.example.com/a b",
    " https://hooks.example.com/",
    "https://hooks.example.com/\t",
    `https://hooks.example.com/${"a".repeat(2_048)}`,
  ]) {
    test(`${JSON.stringify(url.slice(0, 60))} is no URL for a webhook`, () => {
      assert.match(refusal(url).message, /A webhook goes to a URL/);
    });
  }

  for (const url of [
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "ws://hooks.example.com/",
    "unix:/run/docker.sock",
  ]) {
    test(`${url} is not https:`, () => {
      assert.match(refusal(url).message, /begins with https:|goes to a URL/);
      if (!url.startsWith("http:")) refusal(url, { allowHttp: true });
    });
  }

  test("http: is allowed where the policy says so, for ordinary addresses", () => {
    const policy = { allowHttp: true };
    const url = destinationGuard(policy).check("http://hooks.example.com/a?b=c");
    assert.equal(url.href, "http://hooks.example.com/a?b=c");
    assert.match(refusal("http://127.0.0.1/", policy).message, /loopback/);
  });

  for (const url of [
    "https://user:secret@hooks.example.com/",
    "https://secret@hooks.example.com/",
    "https://:secret@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/",
    "https://1.1.1.1:secret@127.0.0.1:443/",
  ]) {
    test(`${url} has a user in it`, () => {
      assert.match(refusal(url).message, /no user and no password/);
      assert.doesNotMatch(refusal(url).message, /secret/);
    });
  }

  test("ports are limited where the policy says so", () => {
    const policy = { ports: [443, 8443], allowHttp: true };
    for (const url of ["https://a.example/", "https://a.example:443/", "https://a.example:8443/"]) {
      destinationGuard(policy).check(url);
    }
    for (const url of ["https://a.example:22/", "http://a.example/", "https://a.example:0/"]) {
      assert.match(refusal(url, policy).message, /can't go to port (?:22|80|0)\./);
    }
    guard.check("https://a.example:8080/");
    assert.match(refusal("https://a.example:0/").message, /port 0/);
  });
});

suite("Addresses where webhooks can go", () => {
  for (const address of [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "3ffe:ffff::1",
  ]) {
    test(address, async () => {
      const host = address.includes(":") ? `[${address}]` : address;
      guard.check(`https://${host}/`);
      const family = address.includes(":") ? 6 : 4;
      assert.deepEqual(await looksUp([address]), [{ address, family }]);
    });
  }

  test("names are not judged before they are resolved", () => {
    for (const name of [
      "hooks.example.com",
      "localhost",
      "metadata.google.internal",
      "a_b.example",
    ]) {
      guard.check(`https://${name}/hooks?token=x`);
    }
  });
});

suite("Names that lead to addresses", () => {
  test("localhost, as the system resolves it, is refused", async () => {
    const { lookup } = guard;
    const error = await new Promise((resolve) => lookup("localhost", { all: true }, resolve));
    assert.ok(error instanceof DestinationError, String(error));
    assert.match(error.message, /localhost leads to (?:127\.0\.0\.1|::1), which is loopback/);
  });

  test("all addresses of an answer are judged: one that is not allowed refuses the name", async () => {
    for (const answer of [
      ["1.1.1.1", "127.0.0.1"],
      ["127.0.0.1", "1.1.1.1"],
      ["2606:4700::1", "1.1.1.1", "::ffff:10.0.0.1"],
      ["1.1.1.1", "no address"],
      ["fe80::1%eth0"],
      ["1.1.1.1", "2606:4700::1%eth0"],
      [""],
    ]) {
      for (const options of [
        { all: true },
        { all: false },
        { family: 4 },
        { family: 6 },
      ] as const) {
        await assert.rejects(looksUp(answer, {}, options), DestinationError, answer.join());
      }
    }
  });

  test("the connection gets what was judged, in the form that it asks for", async () => {
    const answer = ["2606:4700::1", "1.1.1.1", "1.0.0.1"];
    assert.deepEqual(await looksUp(answer), [
      { address: "2606:4700::1", family: 6 },
      { address: "1.1.1.1", family: 4 },
      { address: "1.0.0.1", family: 4 },
    ]);
    assert.deepEqual(await looksUp(answer, {}, {}), [{ address: "2606:4700::1", family: 6 }]);
    assert.deepEqual(await looksUp(answer, {}, { family: 4 }), [{ address: "1.1.1.1", family: 4 }]);
  });

  test("a name without an address is not found, which is not a refusal", async () => {
    await assert.rejects(looksUp([]), { code: "ENOTFOUND" });
    await assert.rejects(looksUp(["1.1.1.1"], {}, { family: 6 }), { code: "ENOTFOUND" });
    const failing = destinationGuard({
      resolve: () => Promise.reject(Object.assign(new Error("x"), { code: "EAI_AGAIN" })),
    });
    await assert.rejects(look(failing, { all: true }), { code: "EAI_AGAIN" });
  });
});

suite("Addresses of a network of one's own", () => {
  const allowPrivate = ["127.0.0.1", "10.1.0.0/16", "fd00:1::/32"];

  test("are allowed by the list, and none beside them", async () => {
    const own = destinationGuard({ allowPrivate });
    for (const host of [
      "127.0.0.1",
      "2130706433",
      "[::ffff:127.0.0.1]",
      "10.1.2.3",
      "[fd00:1::5]",
    ]) {
      own.check(`https://${host}/`);
    }
    for (const host of [
      "127.0.0.2",
      "10.2.0.0",
      "10.0.255.255",
      "[fd00:2::5]",
      "[::1]",
      "0.0.0.0",
    ]) {
      refusal(`https://${host}/`, { allowPrivate });
    }
    await looksUp(["127.0.0.1", "1.1.1.1"], { allowPrivate });
    await assert.rejects(looksUp(["127.0.0.1", "127.0.0.2"], { allowPrivate }), DestinationError);
    await assert.rejects(looksUp(["fd00:1::5%eth0"], { allowPrivate }), DestinationError);
    await assert.rejects(looksUp(["no address"], { allowPrivate }), DestinationError);
  });

  test("an entry that is neither an address nor a subnet is refused at once", () => {
    for (const entry of [
      "",
      "localhost",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "fd00::/129",
      "10.1",
      "10.0.0.0/-1",
      "fe80::1%eth0",
    ]) {
      assert.throws(() => destinationGuard({ allowPrivate: [entry] }), TypeError, entry);
    }
  });
});
