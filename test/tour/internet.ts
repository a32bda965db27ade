/**
 * Loaded into the tour's process before the tour: a piece of the internet. The name below leads to a
 * public address, and behind that stands the receiver of the test. The tour itself is as it is,
 * so it sends over TLS only, and nowhere into the network that it stands in.
 */
import dns from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";
import { type LookupFunction, Socket } from "node:net";

const NAME = "hooks.shop.example";
const ADDRESS = "93.184.215.14";

dns.lookup = (async (name: string) => {
  if (name === NAME) return [{ address: ADDRESS, family: 4 }];
  throw Object.assign(new Error(`${name} is not on this internet.`), { code: "ENOTFOUND" });
}) as unknown as typeof dns.lookup;
syncBuiltinESMExports();

interface Target {
  host?: string;
  port?: number;
  lookup?: LookupFunction;
}

const connect = Socket.prototype.connect;
Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
  const [target] = (Array.isArray(given[0]) ? given[0] : given) as [Target];
  const { lookup } = target;
  if (target.host === NAME && target.port === 443 && lookup !== undefined) {
    target.port = Number(process.env.TEST_RECEIVER_PORT);
    // Whoever looks before it connects has seen the public address.
    target.lookup = (hostname, options, done) =>
      lookup(hostname, options, (error, addresses) => {
        if (error !== null) return done(error, "");
        const seen = Array.isArray(addresses) ? addresses[0]?.address : addresses;
        if (seen !== ADDRESS) return done(new Error(`${seen} is not who listens there.`), "");
        if (options.all) return done(null, [{ address: "127.0.0.1", family: 4 }]);
        done(null, "127.0.0.1", 4);
      });
  }
  return Reflect.apply(connect, this, given);
} as typeof connect;
