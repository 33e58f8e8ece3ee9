/** Numbers and times as the page writes them: a real minus, a thin space before the unit, digits by meaning. */

export const THIN = "\u2009";
export const MINUS = "\u2212";
export const NONE = "–";

type Maybe = number | null | undefined;

const fixed = new Map<number, Intl.NumberFormat>();

function digits(value: number, places: number): string {
  let format = fixed.get(places);
  if (!format) {
    format = new Intl.NumberFormat("en", { minimumFractionDigits: places, maximumFractionDigits: places });
    fixed.set(places, format);
  }
  return format.format(Math.abs(value));
}

/** A number with a real minus sign; what rounds to zero has no sign. */
export function number(value: Maybe, places = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = digits(value, places);
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** A number whose sign always shows, except at zero. */
export function signed(value: Maybe, places = 2): string {
  const text = number(value, places);
  return value !== null && value !== undefined && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

const percentPlaces = (value: number) => (Math.abs(value) >= 10 ? 0 : 1);

/** A fraction as percent points without the unit, for columns whose header holds it. */
export function percentPoints(fraction: Maybe, places = 1): string {
  return number(fraction === null || fraction === undefined ? fraction : fraction * 100, places);
}

export function signedPercentPoints(fraction: Maybe, places = 1): string {
  return signed(fraction === null || fraction === undefined ? fraction : fraction * 100, places);
}

/** A return on its own: sign and unit. +19.4 %, +2,318 %. */
export function signedPercent(fraction: Maybe): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return NONE;
  return `${signed(fraction * 100, percentPlaces(fraction))}${THIN}%`;
}

export function percent(fraction: Maybe, places = 0): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return NONE;
  return `${number(fraction * 100, places)}${THIN}%`;
}

export const count = (value: Maybe): string => number(value, 0);

/** "1 gap", "3 gaps". */
export const plural = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

const compactFormat = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** 2.57M, 43.8K. */
export const compact = (value: number): string => compactFormat.format(value);

/** A price keeps about five significant digits, whatever its size: 43,800.12, 1.2345, 0.00001234. */
export function price(value: Maybe): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  return value === 0 ? "0" : number(value, pricePlaces(value));
}

/** How many decimals a price of that size has. */
export function pricePlaces(value: number): number {
  const size = Math.abs(value);
  return size >= 1000 || size === 0 ? 2 : Math.min(10, Math.max(2, 4 - Math.floor(Math.log10(size)) - (size < 0.01 ? 1 : 0)));
}

/** Money in the quote currency. */
export const money = (value: Maybe): string => number(value, 2);

/** Something between 0.2 s and 3 d 4 h. */
export function duration(seconds: Maybe): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  if (seconds > 0 && seconds < 0.1) return `<${THIN}0.1${THIN}s`;
  if (seconds < 10) return `${digits(seconds, 1)}${THIN}s`;
  if (seconds < 59.5) return `${digits(seconds, 0)}${THIN}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return inTwo(Math.round(seconds), 60, "min", "s");
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? inTwo(minutes, 60, "h", "min") : inTwo(hours, 24, "d", "h");
}

/** "2 min 5 s", and "2 min" where nothing is left over. */
function inTwo(amount: number, size: number, large: string, small: string): string {
  const rest = amount % size;
  return `${Math.floor(amount / size)}${THIN}${large}${rest > 0 ? ` ${rest}${THIN}${small}` : ""}`;
}

export function milliseconds(value: Maybe): string {
  if (value === null || value === undefined) return NONE;
  return value < 10 ? `${digits(value, 1)}${THIN}ms` : `${digits(value, 0)}${THIN}ms`;
}

/** The day of a time in UTC, 2021-04-05: ranges of candles are UTC days. */
export const utcDay = (iso: string): string => new Date(iso).toISOString().slice(0, 10);

/** 2021-04-05 14:00, UTC. */
export const utcMinute = (time: string | number): string =>
  new Date(time).toISOString().slice(0, 16).replace("T", " ");

/** UTC, as the hover text of a time in the user's zone. */
export const utcSecond = (iso: string): string => `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;

const pad = (value: number) => String(value).padStart(2, "0");

/** The time of day in the user's zone. */
export function clock(iso: string): string {
  const time = new Date(iso);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** Day and time in the user's zone. */
export function localMinute(iso: string): string {
  const time = new Date(iso);
  const day = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${day} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}

/** "warm_up_bars" as a label: "Warm up bars". */
export function sentence(text: string): string {
  const spaced = text.replaceAll("_", " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
