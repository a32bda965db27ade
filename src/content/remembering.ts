const MAX_ENTRIES = 256;
const MAX_LENGTH = 256;

/**
 * Keeps what `read` made of a header field, since clients send the same few again and again. Holds
 * at most 256 results for values of at most 256 characters, so that no client can fill the memory.
 */
export function remembering<Result>(read: (header: string) => Result): (header: string) => Result {
  const results = new Map<string, Result>();
  return (header) => {
    const known = results.get(header);
    if (known !== undefined || results.has(header)) {
      return known as Result;
    }
    const result = read(header);
    if (header.length <= MAX_LENGTH) {
      if (results.size === MAX_ENTRIES) {
        results.clear();
      }
      results.set(header, result);
    }
    return result;
  };
}
