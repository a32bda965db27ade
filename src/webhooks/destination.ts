import { lookup as systemLookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { addressList, specialPurpose } from "./address-ranges.ts";

/** Where webhooks may go. */
export interface DestinationPolicy {
  /** Whether `http:` is allowed as well. Default false; true is for development. */
  readonly allowHttp?: boolean;
  /** Addresses and subnets of a network of one's own: `127.0.0.1`, `10.0.0.0/8`. Default none. */
  readonly allowPrivate?: readonly string[];
  /** Default: any. */
  readonly ports?: readonly number[];
  /** All addresses of a name. Default: as the system resolves it, its hosts file included. */
  readonly resolve?: (hostname: string) => Promise<readonly { readonly address: string }[]>;
}

/** The destination of a webhook is not allowed. Its message can be shown to whoever set it. */
export class DestinationError extends Error {
  override readonly name = "DestinationError";
}

/**
 * Keeps webhooks away from the network that this server stands in (SSRF): their addresses come from
 * users. What a name leads to may change at any time, so it is judged where it is used: `lookup`
 * gives a connection the very addresses that it judged.
 */
export interface DestinationGuard {
  /**
   * What can be said of a URL without asking for its name: enough for when it is set.
   * @throws DestinationError
   */
  check(url: string): URL;
  /** For `lookup` of a request to a URL that was checked. Fails with DestinationError. */
  readonly lookup: LookupFunction;
}

const MAX_URL_LENGTH = 2_048;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "https:": 443, "http:": 80 };

/** @throws TypeError if `allowPrivate` has something else than addresses and subnets */
export function destinationGuard(policy: DestinationPolicy = {}): DestinationGuard {
  const { allowHttp = false, ports, resolve = systemAddresses } = policy;
  const isAllowed = addressList(policy.allowPrivate ?? []);

  const judge = (address: string, hostname: string): void => {
    if (isAllowed(address)) return;
    const special = specialPurpose(address);
    if (special === undefined) return;
    const host = address === hostname ? address : `${hostname} leads to ${address}, which`;
    throw new DestinationError(`Webhooks can't go there: ${host} is ${special}.`);
  };

  /** One address that is not allowed refuses all: a name has no reason to have both. */
  const judged = async (hostname: string) => {
    const addresses = await resolve(hostname);
    for (const { address } of addresses) judge(address, hostname);
    return addresses.map(({ address }) => ({ address, family: isIP(address) }));
  };

  return {
    check(text) {
      const url = parse(text);
      if (url.protocol !== "https:" && !(allowHttp && url.protocol === "http:")) {
        const schemes = allowHttp ? "https: or http:" : "https:";
        throw new DestinationError(`The URL of a webhook begins with ${schemes}`);
      }
      if (url.username !== "" || url.password !== "") {
        throw new DestinationError("The URL of a webhook has no user and no password in it.");
      }
      const port = url.port === "" ? DEFAULT_PORTS[url.protocol]! : Number(url.port);
      if (port === 0 || ports?.includes(port) === false) {
        throw new DestinationError(`Webhooks can't go to port ${port}.`);
      }
      // The URL parser has made one form of all notations: 0x7f.1, 2130706433, [::ffff:7f00:1].
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      // No lookup happens for an address, so this is the only time that it is judged.
      if (isIP(host) !== 0) judge(host, host);
      return url;
    },
    lookup(hostname, options, callback) {
      judged(hostname).then(
        (addresses) => {
          const family = options.family === 4 || options.family === 6 ? options.family : 0;
          const usable = addresses.filter((each) => family === 0 || each.family === family);
          const [first] = usable;
          if (first === undefined) return callback(notFound(hostname), "");
          if (options.all) return callback(null, usable);
          callback(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => callback(error, ""),
      );
    },
  };
}

function parse(text: string): URL {
  // The parser would take out line breaks and tabs without a word.
  const clean = text.length <= MAX_URL_LENGTH && !/[\s\p{Cc}]/u.test(text);
  const url = clean && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new DestinationError(
      `A webhook goes to a URL of at most ${MAX_URL_LENGTH} characters, such as https://example.com/hooks.`,
    );
  }
  return url;
}

function systemAddresses(hostname: string) {
  return systemLookup(hostname, { all: true });
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address.`), { code: "ENOTFOUND" });
}
