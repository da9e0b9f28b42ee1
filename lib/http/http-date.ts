/** Dates of HTTP (RFC 9110 section 5.6.7): the one form that is written, and the two old ones that must be read too. */

const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = "(\\d\\d):(\\d\\d):(\\d\\d)";
const IMF_FIXDATE = new RegExp(`^${DAY}, (\\d\\d) ([A-Z][a-z]{2}) (\\d{4}) ${TIME} GMT$`);
const RFC850_DATE = new RegExp(`^${LONG_DAY}, (\\d\\d)-([A-Z][a-z]{2})-(\\d\\d) ${TIME} GMT$`);
const ASCTIME_DATE = new RegExp(`^${DAY} ([A-Z][a-z]{2}) ([ \\d]\\d) ${TIME} (\\d{4})$`);

/** Epoch milliseconds, or undefined for what is no date. `nowMs` tells which century a year of two digits is in. */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  let found = IMF_FIXDATE.exec(text);
  if (found) return read(found[3], found[2], found[1], found[4], found[5], found[6]);
  found = RFC850_DATE.exec(text);
  if (found) return read(century(Number(found[3]), nowMs), found[2], found[1], found[4], found[5], found[6]);
  found = ASCTIME_DATE.exec(text);
  return found ? read(found[6], found[1], found[2], found[3], found[4], found[5]) : undefined;
}

/** More than 50 years ahead means the most recent year in the past with those digits. */
function century(digits: number, nowMs: number): number {
  const now = new Date(nowMs).getUTCFullYear();
  const year = now - (now % 100) + digits;
  return year > now + 50 ? year - 100 : year;
}

function read(year: unknown, month: string | undefined, day: unknown, hour: unknown, minute: unknown, second: unknown) {
  const index = MONTHS.indexOf(month!);
  const ms = Date.UTC(Number(year), index, Number(day), Number(hour), Number(minute), Number(second));
  // The 31st of February would silently be a day of March.
  return index >= 0 && new Date(ms).getUTCDate() === Number(day) && Number(hour) < 24 && Number(minute) < 60 ? ms : undefined;
}
