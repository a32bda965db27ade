/** A path below the API's base, of visible ASCII. Two slashes would lead to another host. */
const PATH = /^\/(?!\/)[\x21-\x7e]*$/;

/**
 * What a user's function gave for `Location`: a header field does not bear everything.
 * @param what `the action "archive"`
 * @throws Error that says what is wrong with it
 */
export function locationPath(what: string, path: unknown): string {
  if (typeof path === "string" && PATH.test(path)) return path;
  throw new Error(
    `The location that ${what} gave is not a path: ${JSON.stringify(path)}. It begins with one "/", and what it takes from elsewhere is encoded: encodeURIComponent(…).`,
  );
}
