import { BlockList, isIPv4, isIPv6 } from "node:net";

/**
 * Addresses that are not somebody's on the internet, after the registries of IANA for special
 * purposes (RFC 6890), and what they are called in a sentence. IPv4 and IPv6 have lists of their
 * own, because a BlockList finds an IPv4 address in the rules for its IPv4-mapped form.
 */
const IPV4: readonly (readonly [string, number, string])[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by carriers (CGNAT)"],
  ["127.0.0.0", 8, "loopback"],
  // Also 169.254.169.254 and others, by which clouds tell their machines secrets.
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "for protocols"],
  ["192.0.2.0", 24, "for documentation"],
  ["192.88.99.0", 24, "a 6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "for benchmarks"],
  ["198.51.100.0", 24, "for documentation"],
  ["203.0.113.0", 24, "for documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
  // Azure's machines ask this one, which looks public.
  ["168.63.129.16", 32, "a cloud's own"],
];

const IPV6: readonly (readonly [string, number, string])[] = [
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["::ffff:0:0", 96, "IPv4 in IPv6"],
  ["64:ff9b::", 96, "IPv4 in IPv6 (NAT64)"],
  ["64:ff9b:1::", 48, "IPv4 in IPv6 (NAT64)"],
  ["2001::", 32, "IPv4 in IPv6 (Teredo)"],
  ["2001::", 23, "for protocols"],
  ["2001:db8::", 32, "for documentation"],
  ["2002::", 16, "IPv4 in IPv6 (6to4)"],
  ["3fff::", 20, "for documentation"],
  ["fc00::", 7, "private (unique local)"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "private (site-local)"],
  ["ff00::", 8, "multicast"],
];

const ipv4 = IPV4.map(([net, prefix, name]) => ({ list: subnet(net, prefix, "ipv4"), name }));
const ipv6 = IPV6.map(([net, prefix, name]) => ({ list: subnet(net, prefix, "ipv6"), name }));
/** All that is given out of IPv6 (RFC 4291 section 2.4); what is outside of it is not judged further. */
const globalUnicast = subnet("2000::", 3, "ipv6");

/**
 * What is special about an address, such as `loopback`; `undefined` where it is an ordinary one of
 * the internet. An address that can't be read, or has a zone, is special.
 */
export function specialPurpose(address: string): string | undefined {
  if (isIPv4(address)) return ipv4.find(({ list }) => list.check(address, "ipv4"))?.name;
  if (!isIPv6(address) || address.includes("%")) return "no address of the internet";
  const special = ipv6.find(({ list }) => list.check(address, "ipv6"))?.name;
  return special ?? (globalUnicast.check(address, "ipv6") ? undefined : "reserved");
}

/**
 * @param entries Addresses and subnets: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
 * @throws TypeError for an entry that is neither
 */
export function addressList(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [net = "", prefix, ...more] = entry.split("/");
    const bits = isIPv4(net) ? 32 : 128;
    if (
      (!isIPv4(net) && (!isIPv6(net) || net.includes("%"))) ||
      (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) ||
      more.length > 0
    ) {
      throw new TypeError(
        `"${entry}" is neither an address nor a subnet. Write 127.0.0.1, 10.0.0.0/8 or fd00::/8.`,
      );
    }
    list.addSubnet(net, prefix === undefined ? bits : Number(prefix), familyOf(net));
  }
  return (address) => !address.includes("%") && list.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

function subnet(net: string, prefix: number, family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  list.addSubnet(net, prefix, family);
  return list;
}
