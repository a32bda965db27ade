import { type Clock, systemClock } from "../kernel/clock.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY_NAME = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const TIME = "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";

/** The three forms that a reader has to understand (RFC 9110 section 5.6.7). */
const FORMS = [
  `${DAY_NAME}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT`,
  `${LONG_DAY_NAME}, (?<day>\\d\\d)-${MONTH}-(?<shortYear>\\d\\d) ${TIME} GMT`,
  `${DAY_NAME} ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** Milliseconds since the epoch of an HTTP date, or `undefined` if it is none. */
export function parseHttpDate(text: string, clock: Clock = systemClock): number | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts !== undefined) {
      return toTime(parts, clock);
    }
  }
  return undefined;
}

function toTime(parts: Record<string, string | undefined>, clock: Clock): number | undefined {
  const year =
    parts.shortYear === undefined
      ? Number(parts.year)
      : yearWithCentury(Number(parts.shortYear), clock);
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for those of the 20th century.
  date.setUTCFullYear(year, MONTHS.indexOf(parts.month!), Number(parts.day));
  if (date.getUTCDate() !== Number(parts.day)) {
    return undefined;
  }
  return date.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
}

/** A year that seems more than 50 years ahead is one of the past (RFC 9110 section 5.6.7). */
function yearWithCentury(shortYear: number, clock: Clock): number {
  const thisYear = new Date(clock.now()).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + shortYear;
  return year > thisYear + 50 ? year - 100 : year;
}
