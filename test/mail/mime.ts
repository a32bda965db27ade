/** A part of a MIME message (RFC 2045), decoded as far as these tests need it. */
export interface Part {
  /** By their names in lower case, unfolded, with encoded words decoded. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of a part that has no parts of its own. */
  readonly body: Buffer;
  readonly parts: readonly Part[];
}

export function readMime(raw: string): Part {
  const end = raw.indexOf("\r\n\r\n");
  const headers = new Map<string, string>();
  for (const line of raw
    .slice(0, end)
    .replaceAll(/\r\n(?=[ \t])/g, "")
    .split("\r\n")) {
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon).toLowerCase(), encodedWords(line.slice(colon + 1).trim()));
  }
  const content = raw.slice(end + 4);
  const boundary = /boundary="([^"]+)"/.exec(headers.get("content-type") ?? "")?.[1];
  if (boundary === undefined) {
    return { headers, body: decoded(content, headers.get("content-transfer-encoding")), parts: [] };
  }
  const parts = content
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => readMime(part.replace(/^\r\n/, "").replace(/\r\n$/, "")));
  return { headers, body: Buffer.alloc(0), parts };
}

/** All parts without parts of their own, in order. */
export function leaves(part: Part): Part[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leaves);
}

function decoded(content: string, encoding = "7bit"): Buffer {
  if (encoding === "base64") return Buffer.from(content, "base64");
  return encoding === "quoted-printable" ? quotedPrintable(content) : Buffer.from(content);
}

function quotedPrintable(text: string): Buffer {
  const bytes = text
    .replaceAll(/=\r\n/g, "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)));
  return Buffer.from(bytes, "latin1");
}

/** RFC 2047. */
function encodedWords(text: string): string {
  return text
    .replaceAll(/(=\?[^?]+\?[BQ]\?[^?]*\?=)\s+(?==\?)/gi, "$1")
    .replaceAll(/=\?UTF-8\?([BQ])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toUpperCase() === "B"
        ? Buffer.from(word, "base64").toString()
        : quotedPrintable(word.replaceAll("_", " ")).toString(),
    );
}
