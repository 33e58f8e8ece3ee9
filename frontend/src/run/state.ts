/**
 * What the page knows about a run: a snapshot of the API, and the events that came after it.
 *
 * Pure: a new state for every batch of events. Rows are kept by symbol, so that a result that was in the snapshot
 * already and arrives as an event again changes nothing.
 */

import type {
  BacktestSummary, FailureEvent, Metrics, Progress, Result, ResultEvent, Run, RunEvent, RunStatus, Warning,
} from "../api/types";

export interface Row {
  symbol: string;
  metrics: Metrics;
  warnings: Warning[];
  sparkline: number[];
  generated: boolean;
  cached: boolean;
  elapsedMs: number | null;
  /** Whether it satisfies what the request calls a hit; null where it says nothing of hits. */
  hit: boolean | null;
  /** True for a row that came as an event while the page was open: it fades in. */
  isNew: boolean;
}

export type Outcome = Readonly<Record<string, unknown>>;

/** How far a job is that takes longer than a moment. */
export interface Advance {
  share: number;
  step: string | null;
}

export interface FeedEntry {
  seq: number;
  at: string;
  symbol: string;
  totalReturn: number | null;
  hit: boolean;
  failure: string | null;
}

export interface RunState {
  run: Run;
  status: RunStatus;
  reason: string | null;
  error: string | null;
  summary: BacktestSummary | null;
  progress: Progress;
  hits: number;
  lastSeq: number;
  lastEventAt: string | null;
  rows: ReadonlyMap<string, Row>;
  /** What jobs of other kinds than backtests brought, by key. */
  outcomes: ReadonlyMap<string, Outcome>;
  /** Jobs that have told how far they are and have not ended, by key. */
  advances: ReadonlyMap<string, Advance>;
  failures: ReadonlyMap<string, string>;
  /** Newest first. */
  feed: readonly FeedEntry[];
}

export const FEED_LENGTH = 60;

const ENDED: readonly RunStatus[] = ["completed", "stopped", "failed"];

export const hasEnded = (state: { status: RunStatus }): boolean => ENDED.includes(state.status);

/** An event is missing between the state and what arrived: read again from `lastSeq` on. */
export class MissingEvents extends Error {}

/**
 * The state that a run and what is stored of it give.
 *
 * `results` are those of an ended run; `history` are stored events up to the run's last one: all of them for a run under way.
 * While results arrive, only events can be read without a hole: pages of a growing list shift under the reader.
 */
export function fromSnapshot(run: Run, results: readonly Result[], history: readonly RunEvent[] = []): RunState {
  const failed = history.filter((event) => event.type === "failure");
  const brought = history.filter((event) => event.type === "result");
  const others = brought.filter((event) => !isBacktest(event));
  const stored = brought.filter(isBacktest).map((event): [string, Row] => [event.key, { ...rowOfEvent(event), isNew: false }]);
  return {
    run,
    status: run.status,
    reason: run.reason,
    error: run.error,
    summary: run.summary,
    progress: run.progress,
    hits: run.hits ?? 0,
    lastSeq: run.last_seq,
    lastEventAt: null,
    rows: new Map(results.length > 0 && run.kind === "backtest" ? results.map((result) => [result.symbol, rowOfResult(result)]) : stored),
    outcomes: new Map<string, Outcome>(results.length > 0 && run.kind !== "backtest"
      ? results.map((result) => [result.symbol, result as unknown as Outcome]) : others.map((event) => [event.key, outcomeOf(event)])),
    advances: hasEnded(run) ? new Map() : advancesOf(new Map(), history),
    failures: new Map(failed.map((event) => [event.key, event.reason])),
    feed: history.filter(isOutcome).map(feedEntry).reverse().slice(0, FEED_LENGTH),
  };
}

/** The state after a batch of events. Events the state knows already are ignored; a gap throws `MissingEvents`. */
export function applyEvents(state: RunState, events: readonly RunEvent[]): RunState {
  const fresh = events.filter((event) => event.seq > state.lastSeq);
  if (fresh.length === 0) return state;
  const rows = new Map(state.rows);
  const outcomes = new Map(state.outcomes);
  const failures = new Map(state.failures);
  const next = { ...state, rows, outcomes, failures, advances: advancesOf(state.advances, fresh) };
  for (const event of fresh) {
    if (event.seq !== next.lastSeq + 1) {
      throw new MissingEvents(`expected event ${next.lastSeq + 1}, got ${event.seq}`);
    }
    next.lastSeq = event.seq;
    next.lastEventAt = event.at;
    next.progress = event.progress;
    if (event.type === "result" && event.hit) next.hits += 1;
    if (event.type === "result" && isBacktest(event)) rows.set(event.key, rowOfEvent(event));
    else if (event.type === "result") outcomes.set(event.key, outcomeOf(event));
    else if (event.type === "failure") failures.set(event.key, event.reason);
    else if (event.type === "complete") {
      next.status = event.status;
      next.reason = event.reason;
      next.summary = event.summary;
      next.advances = new Map();
    } else if (event.type === "error") {
      next.status = "failed";
      next.error = event.message;
    } else next.status = event.status;
  }
  const entries = fresh.filter(isOutcome).map(feedEntry).reverse();
  next.feed = entries.length > 0 ? [...entries, ...state.feed].slice(0, FEED_LENGTH) : state.feed;
  return next;
}

/** The share of a run that is done, 0 to 1, parts of jobs counted. */
export function shareDone({ progress, advances }: RunState): number {
  const parts = [...advances.values()].reduce((sum, { share }) => sum + share, 0);
  return progress.total > 0 ? Math.min(1, progress.percent / 100 + parts / progress.total) : 1;
}

function advancesOf(known: ReadonlyMap<string, Advance>, events: readonly RunEvent[]): ReadonlyMap<string, Advance> {
  const advances = new Map(known);
  for (const event of events) {
    if (isOutcome(event)) advances.delete(event.key);
    else if (event.type === "progress" && event.key !== undefined) advances.set(event.key, { share: event.share ?? 0, step: event.step ?? null });
  }
  return advances;
}

function isOutcome(event: RunEvent): event is ResultEvent | FailureEvent {
  return event.type === "result" || event.type === "failure";
}

const isBacktest = (event: ResultEvent): boolean => "metrics" in event.result && !("signal" in event.result);

const outcomeOf = ({ result, hit }: ResultEvent): Outcome => (hit === undefined ? { ...result } : { ...result, hit });

function rowOfResult(result: Result): Row {
  return {
    symbol: result.symbol,
    metrics: result.metrics,
    warnings: result.warnings,
    sparkline: result.sparkline,
    generated: result.generated,
    cached: result.cached,
    elapsedMs: result.elapsed_ms,
    hit: result.hit ?? null,
    isNew: false,
  };
}

function rowOfEvent(event: ResultEvent): Row {
  return { ...rowOfResult({ ...event.result, cached: event.cached, elapsed_ms: event.elapsed_ms, hit: event.hit ?? null }), isNew: true };
}

function feedEntry(event: ResultEvent | FailureEvent): FeedEntry {
  return {
    seq: event.seq,
    at: event.at,
    symbol: event.key,
    totalReturn: event.type === "result" && isBacktest(event) ? (event.result.metrics["total_return"] ?? null) : null,
    failure: event.type === "failure" ? event.reason : null,
    hit: event.type === "result" && event.hit === true,
  };
}
