/** One function per thing the page asks of the API. Errors arrive as `ApiError` with the problem's field messages. */

import type {
  BacktestRequest, Cryptocurrency, DownloadRequest, EventPage, ImportSpec, Page, Quality, Result, ResultCurve, ResultDetail, Run, SavedScan, Series, Strategy,
} from "./types";

export type FieldErrors = Record<string, string[]>;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: FieldErrors = {},
  ) {
    super(message);
  }
}

/** Field errors may come nested (`{parameters: {fast: […]}}`); the form knows its fields by dotted names. */
export function flattenErrors(errors: unknown, prefix = ""): FieldErrors {
  if (typeof errors === "string") return { [prefix]: [errors] };
  if (Array.isArray(errors)) {
    return errors.length > 0 ? { [prefix]: errors.map(String) } : {};
  }
  if (typeof errors !== "object" || errors === null) return {};
  const flat: FieldErrors = {};
  for (const [name, value] of Object.entries(errors)) {
    Object.assign(flat, flattenErrors(value, prefix ? `${prefix}.${name}` : name));
  }
  return flat;
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

async function problemOf(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as { title?: string; detail?: string; errors?: unknown };
    const message = problem.detail || problem.title || response.statusText;
    return new ApiError(response.status, message, flattenErrors(problem.errors));
  } catch {
    return new ApiError(response.status, response.statusText || `The server answered ${response.status}.`);
  }
}

/** The session ended while the page was open: log in, and come back to the same address. */
function goToLogin(): void {
  location.assign(`/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
}

export async function request<Answer>(method: string, address: string, body?: unknown): Promise<Answer> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(address, {
      method, headers, credentials: "same-origin", ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.status === 401) goToLogin();
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

export const getStrategies = () => request<Strategy[]>("GET", "/api/strategies/");

export const getCryptocurrencies = () => request<Cryptocurrency[]>("GET", "/api/cryptocurrencies/");

export const startBacktest = (spec: BacktestRequest) => request<Run>("POST", "/api/backtests/", spec);

export const getSavedScans = () => request<Page<SavedScan>>("GET", "/api/saved-scans/?page_size=1000");

export const saveScan = (name: string, wanted: BacktestRequest, onNewCandles: boolean) =>
  request<SavedScan>("POST", "/api/saved-scans/", { name, request: wanted, on_new_candles: onNewCandles });

export const changeScan = (scan: SavedScan, part: Partial<Pick<SavedScan, "on_new_candles" | "enabled">>) =>
  request<SavedScan>("PATCH", `/api/saved-scans/${scan.id}/`, part);

export const deleteScan = (scan: SavedScan) => request<void>("DELETE", `/api/saved-scans/${scan.id}/`);

export const runScan = (scan: SavedScan) => request<Run>("POST", `/api/saved-scans/${scan.id}/run/`, {});

export const startScan = (spec: BacktestRequest) => request<Run>("POST", "/api/scans/", spec);

export const startDownload = (wanted: DownloadRequest) => request<Run>("POST", "/api/downloads/", wanted);

export const getRun = (id: string) => request<Run>("GET", `/api/runs/${id}/`);

export const getRuns = (query: URLSearchParams) => request<Page<Run>>("GET", `/api/runs/?${query}`);

export const deleteRun = (run: Run) => request<void>("DELETE", run.links.self);

/** Stop, pause, resume or retry: the addresses are in the run's links while they may be used. */
export const control = (address: string) => request<Run>("POST", address, {});

/** Do these of the waiting symbols next. */
export const prioritise = (run: Run, keys: string[]) => request<Run>("PATCH", run.links.self, { keys });

export const getEvents = (run: Run, after: number) =>
  request<EventPage>("GET", `${run.links.events}?after=${after}`);

export const getResult = (run: Run, symbol: string) =>
  request<ResultDetail>("GET", `${run.links.results}${encodeURIComponent(symbol)}/`);

export const getCurve = (run: Run, symbol: string) =>
  request<ResultCurve>("GET", `${run.links.results}${encodeURIComponent(symbol)}/curve/`);

export const getQuality = (id: Series["id"]) => request<Quality>("GET", `/api/series/${id}/quality/`);

export interface CandleArrays {
  time_ms: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  volume?: number[];
}

/** The candles that a result was computed from. */
export function getCandles({ spec }: Run, symbol: string): Promise<CandleArrays> {
  const query = new URLSearchParams({ source: spec.source, interval: spec.interval, start: spec.start, end: spec.end });
  return request("GET", `/api/cryptocurrencies/${encodeURIComponent(symbol)}/candles/?${query}`);
}

/** All results a run has so far, page by page. */
export async function getResults(run: Run): Promise<Result[]> {
  const results: Result[] = [];
  for (let page = 1; ; page += 1) {
    const answer = await request<Page<Result>>("GET", `${run.links.results}?page=${page}&page_size=1000`);
    results.push(...answer.results);
    if (!answer.next) return results;
  }
}

/** Import a file that was sent before, with what was said about it then. */
export function storeUpload({ upload: id, source, symbol, interval, columns, keep_reused }: ImportSpec): Promise<Run> {
  const named = Object.entries(columns).map((pair) => pair.join("=")).join(",");
  const said = { ...(symbol ? { symbol } : {}), ...(interval ? { interval } : {}), ...(named ? { columns: named } : {}) };
  return request("POST", "/api/imports/", { upload: id, source, keep_reused, ...said });
}

/** Send a file of candles and what is said about it; `onProgress` gets the share that has been sent. A run does the rest. */
export function upload(file: File, said: Readonly<Record<string, string>>, onProgress: (share: number) => void): Promise<Run> {
  const body = new FormData();
  body.set("file", file);
  for (const [name, value] of Object.entries(said)) if (value) body.set(name, value);
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest(); // fetch does not tell how much has been sent
    sender.open("POST", "/api/imports/");
    sender.setRequestHeader("Accept", "application/json");
    sender.setRequestHeader("X-CSRFToken", cookie("csrftoken"));
    sender.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 1);
    sender.onerror = () => reject(new ApiError(0, "The server cannot be reached."));
    sender.onload = () => {
      const answer = new Response(sender.response as string, { status: sender.status, statusText: sender.statusText });
      if (answer.ok) resolve(answer.json() as Promise<Run>);
      else void problemOf(answer).then(reject);
    };
    sender.send(body);
  });
}
