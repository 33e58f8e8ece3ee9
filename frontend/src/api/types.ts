/** What the API sends. Fractions are fractions (0.194 is 19.4 %), times are ISO 8601 in UTC or milliseconds. */

export type RunStatus = "running" | "paused" | "completed" | "stopped" | "failed";

export interface Progress {
  total: number;
  completed: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  percent: number;
  elapsed_seconds: number;
  eta_seconds: number | null;
  per_second: number | null;
}

export interface BacktestSpec {
  strategy: string;
  parameters: Record<string, unknown>;
  symbols: "all" | string[];
  source: string;
  interval: string;
  start: string;
  end: string;
  initial_cash: number;
  fee_rate: number;
  slippage_rate: number;
  fill: "next_open" | "same_close";
  fixed_fee?: number;
  direction?: "long" | "short" | "long_short";
  /** Null: all equity, or `fixed_cash`; both together are refused. */
  equity_fraction?: number | null;
  fixed_cash?: number | null;
  stop_loss?: number | null;
  take_profit?: number | null;
  trailing_stop?: number | null;
  max_holding_bars?: number | null;
  cooldown_bars?: number;
  max_parallel: number | null;
  hit?: string;
  max_hits?: number | null;
  max_failures?: number | null;
  timeout_seconds?: number | null;
  priority_symbols?: string[];
  /** Most traded first, or those first that were hits most often in the user's runs before. */
  order?: "volume" | "promise";
  /** Only of scans, which have no range, costs, sizes or stops. */
  within_bars?: number;
  until?: string;
}

/** Whom to tell when a run ends. */
export interface Notify {
  webhook?: string | null;
  email?: boolean;
}

export type BacktestRequest = Partial<BacktestSpec> & { notify?: Notify };

export interface SymbolReturn {
  symbol: string;
  total_return: number;
}

export interface BacktestSummary {
  median_return: number | null;
  mean_return: number | null;
  positive_count: number;
  best: SymbolReturn | null;
  worst: SymbolReturn | null;
  median_buy_hold_return: number | null;
  result_count: number;
  cached_count: number;
  computed_count: number;
}

/** Addresses of a run. Those of controls are there only while the control may be used. */
export interface RunLinks {
  self: string;
  events: string;
  /** Only of backtests. */
  results?: string;
  websocket: string;
  page: string;
  stream?: string;
  stop?: string;
  pause?: string;
  resume?: string;
  retry?: string;
}

export interface Run {
  id: string;
  kind: string;
  status: RunStatus;
  reason: string | null;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  last_seq: number;
  /** What was asked; of another shape for other kinds than backtests. */
  spec: BacktestSpec;
  progress: Progress;
  notify?: Notify;
  /** Results that satisfy the request's `hit`. */
  hits?: number;
  summary: BacktestSummary | null;
  error: string | null;
  links: RunLinks;
}

export interface Page<Item> {
  count: number;
  next: string | null;
  previous: string | null;
  results: Item[];
}

export interface Warning {
  code: string;
  message: string;
}

/** A metric that is undefined for the result (no trades, too short a range) is null. */
export type Metrics = Record<string, number | null>;

export interface ResultBody {
  symbol: string;
  metrics: Metrics;
  warnings: Warning[];
  sparkline: number[];
  generated: boolean;
}

export interface Result extends ResultBody {
  /** Whether it satisfies the request's `hit`; null where the request has none. */
  hit?: boolean | null;
  cached: boolean;
  elapsed_ms: number | null;
}

/** What a run of kind "scan" was asked, beyond what it shares with backtests. */
export interface ScanSpec
  extends Pick<
    BacktestSpec,
    | "strategy" | "parameters" | "symbols" | "source" | "interval" | "max_parallel" | "hit" | "max_hits" | "max_failures"
    | "timeout_seconds" | "priority_symbols" | "order"
  > {
  until: string;
  direction: "long" | "short" | "long_short";
  within_bars: number;
}

/** What a strategy says of one cryptocurrency; metrics are strength, age_bars, bars_behind and close. */
export interface ScanBody extends ResultBody {
  signal: "enter" | "exit" | "hold";
  side: "long" | "short" | null;
  signal_time: string | null;
  last_time: string;
}

export interface ScanSummary {
  result_count: number;
  enter_long_count: number;
  enter_short_count: number;
  exit_count: number;
  hold_count: number;
  strongest: { symbol: string; side: "long" | "short"; strength: number } | null;
}

/** A scan that is kept, and started again when new candles have come. */
export interface SavedScan {
  id: number;
  name: string;
  /** The body of a request to scan. */
  request: Partial<ScanSpec>;
  on_new_candles: boolean;
  enabled: boolean;
  created_at: string;
  /** Id of its latest run. */
  last_run: string | null;
  /** Why it could not be started last; empty if it could. */
  error: string;
}

export interface Trade {
  side: "long" | "short";
  entry_time: string;
  exit_time: string;
  entry_price: number;
  exit_price: number;
  size_units: number;
  pnl: number;
  return: number;
  fees: number;
  exit_reason: string;
  bars_held: number;
}

export interface ResultDetail extends Result {
  trades: Trade[];
  open_trade: Trade | null;
  equity: { time_ms: number[]; value: number[] };
  candles: { count: number; first_open: string; last_open: string; gap_count: number; missing_count: number };
}

/** A result's account at every bar, rebuilt from its trades and the candles as they are now. */
export interface ResultCurve {
  candles_changed: boolean;
  bar_count: number;
  time_ms: number[];
  equity: number[];
  drawdown: number[];
  /** By month, such as "2021-04". */
  monthly_returns: Record<string, number | null>;
  /** Candles before the range, which indicators start from. */
  warm_up: { time_ms: number[]; open: number[]; high: number[]; low: number[]; close: number[] };
}

interface EventBase {
  seq: number;
  run: string;
  at: string;
  progress: Progress;
}

export interface StartEvent extends EventBase {
  type: "start";
  status: RunStatus;
}
export interface ResultEvent extends EventBase {
  type: "result";
  key: string;
  elapsed_ms: number | null;
  cached: boolean;
  /** Only where the request says what a hit is. */
  hit?: boolean;
  result: ResultBody;
}
export interface FailureEvent extends EventBase {
  type: "failure";
  key: string;
  reason: string;
}
export interface ProgressEvent extends EventBase {
  type: "progress";
  /** What has changed; "advance" is said by a job that takes longer, of itself. */
  change: string;
  status: RunStatus;
  key?: string;
  /** 0 to 1. */
  share?: number;
  step?: string;
}
export interface CompleteEvent extends EventBase {
  type: "complete";
  status: RunStatus;
  reason: string | null;
  summary: BacktestSummary | null;
}
export interface ErrorEvent extends EventBase {
  type: "error";
  message: string;
}
export type RunEvent = StartEvent | ResultEvent | FailureEvent | ProgressEvent | CompleteEvent | ErrorEvent;

export interface EventPage {
  events: RunEvent[];
  last_seq: number;
  ended: boolean;
}

/** The part of JSON Schema that describes a strategy's parameters. */
export interface PropertySchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  enum?: unknown[];
  const?: unknown;
  unit?: string;
  anyOf?: PropertySchema[];
  allOf?: PropertySchema[];
  $ref?: string;
}

export interface ParametersSchema {
  properties?: Record<string, PropertySchema>;
  required?: string[];
  $defs?: Record<string, PropertySchema>;
}

export interface Strategy {
  name: string;
  title: string;
  description: string;
  acts_on: "cross" | "level";
  /** Unit of the strength in scans; null: it has none. */
  strength_unit?: string | null;
  parameters: ParametersSchema;
}

export interface Series {
  id: number | string;
  source: string;
  interval: string;
  first_open: string;
  last_open: string;
  candle_count: number;
  gap_count: number;
  missing_count: number;
  generated: boolean;
  warnings: Warning[];
}

export interface Cryptocurrency {
  symbol: string;
  base: string;
  quote: string;
  name: string;
  series: Series[];
}

export interface Gap {
  since: string;
  until: string;
  missing_count: number;
  market_wide: boolean | null;
}

export interface Quality {
  symbol: string;
  series: Series;
  expected_count: number;
  market_wide_gap_count: number;
  own_gap_count: number;
  gaps: Gap[];
  zero_volume_stretches: { first_open: string; last_open: string; candle_count: number }[];
  /** Open times of candles that look cut short. */
  unfinished: string[];
  last_is_unfinished: boolean;
  /** What imports have done to candles, by rule. */
  history: { rule: string; rows?: number; factor?: number; before_ms?: number }[];
}

/** What a run of kind "download" was asked. */
export interface DownloadSpec {
  exchange: string;
  interval: string;
  symbols: string[];
  start_ms: number | null;
  end_ms: number | null;
}

export interface DownloadRequest {
  exchange: string;
  interval: string;
  symbols?: string[];
  top?: number;
  quote?: string;
  start?: string | null;
}

/** What a run of kind "import" was asked. */
export interface ImportSpec {
  upload: string;
  file: string;
  size_bytes: number;
  dry_run: boolean;
  source: string;
  symbol: string | null;
  interval: string | null;
  columns: Record<string, string>;
  keep_reused: boolean;
}

/** One cryptocurrency that was found in an uploaded file. */
export interface Imported {
  file: string;
  symbol: string;
  interval: string;
  layout: string;
  columns: Record<string, string>;
  times: string;
  candle_count: number;
  first_open: string;
  last_open: string;
  repairs: Record<string, number>;
  warnings: Warning[];
}
