import { FltsError } from "@flts/common/contracts/errors";
import { DAY_MS, type Holiday } from "./terms.ts";

/** What `COUNTRY` says for no holidays. */
export const NO_COUNTRY = "NONE";

/** Holidays repeat for this long after the series; a model is retrained long before. */
const YEARS_AHEAD = 10;

/**
 * The public and bank holidays that fall into a series, each with all its days from the series' first year to ten years after its last. One that the series
 * does not hold has nothing to be fitted on, and is left out.
 * @param country an ISO 3166 code (`US`), one with a region (`ES-CT`), or `NONE`
 * @param timesMs rising
 * @throws SETTINGS_INVALID for a country or region that is not known
 */
export async function holidaysIn(country: string, timesMs: Float64Array): Promise<Holiday[]> {
  if (country === NO_COUNTRY) return [];
  const calendar = await calendarOf(country);
  const days = new Set(timesMs.map((time) => Math.floor(time / DAY_MS) * DAY_MS));
  const [first, last] = [timesMs[0] ?? 0, timesMs.at(-1) ?? 0].map((time) => new Date(time).getUTCFullYear());
  const seen = groupByName(daysOff(calendar, first!, last!));
  for (const [name, dates] of seen) if (!dates.some((day) => days.has(day))) seen.delete(name);
  if (seen.size === 0) return [];
  for (const { name, day } of daysOff(calendar, last! + 1, last! + YEARS_AHEAD)) seen.get(name)?.push(day);
  return [...seen]
    .map(([name, dates]) => ({ name, days_ms: [...new Set(dates)].toSorted((a, b) => a - b) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

type Calendar = InstanceType<typeof import("date-holidays")["default"]>;

async function calendarOf(country: string): Promise<Calendar> {
  // Its data is large, and only a training needs it: what a model needs is inside the model.
  const { default: Holidays } = await import("date-holidays");
  const [code = "", region] = country.split("-");
  const all = new Holidays();
  if (!Object.hasOwn(all.getCountries(), code))
    throw new FltsError(
      "SETTINGS_INVALID",
      `COUNTRY ${JSON.stringify(country)} has no known holidays: give an ISO 3166 code such as US or ES, one with a region such as ES-CT, or none`,
    );
  if (region === undefined) return new Holidays(code);
  const regions = Object.keys(all.getStates(code) ?? {});
  if (!regions.includes(region))
    throw new FltsError(
      "SETTINGS_INVALID",
      `COUNTRY ${JSON.stringify(country)}: ${code} has ${regions.length === 0 ? "no regions" : `the regions ${regions.join(", ")}`}`,
    );
  return new Holidays(code, region);
}

/** Each day off with the name of its holiday; `date` is local time, of which only the day counts. */
function daysOff(
  calendar: Calendar,
  fromYear: number,
  toYear: number,
): { readonly name: string; readonly day: number }[] {
  const found: { name: string; day: number }[] = [];
  for (let year = fromYear; year <= toYear; year++)
    for (const { name, date, type, start, end } of calendar.getHolidays(year, "en")) {
      if (type !== "public" && type !== "bank") continue;
      const first = Date.parse(`${date.slice(0, 10)}T00:00:00Z`);
      const length = Math.max(1, Math.round((end.getTime() - start.getTime()) / DAY_MS));
      for (let offset = 0; offset < length; offset++) found.push({ name, day: first + offset * DAY_MS });
    }
  return found;
}

function groupByName(
  days: readonly { readonly name: string; readonly day: number }[],
): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const { name, day } of days) groups.set(name, [...(groups.get(name) ?? []), day]);
  return groups;
}
