/** Everything a page needs to show a run: reads the snapshot, follows the events, tells its page when to draw. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { ApiError, getEvents, getResults, getRun } from "../api/client";
import type { Run, RunEvent } from "../api/types";
import { type ConnectionStatus, RunConnection } from "./connection";
import { FEED_LENGTH, type RunState, applyEvents, fromSnapshot, hasEnded } from "./state";

export class RunWatcher implements ReactiveController {
  state: RunState | null = null;
  connection: ConnectionStatus = "connecting";
  /** When the connection was lost, in ms since the epoch. */
  lostAt: number | null = null;
  error: ApiError | null = null;

  private runId = "";
  private socket: RunConnection | null = null;
  private asked = 0;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly onEnd: (state: RunState) => void = () => undefined,
  ) {
    host.addController(this);
  }

  /** Watch this run instead of the one before. */
  watch(runId: string): void {
    if (runId === this.runId) return;
    this.unwatch();
    this.runId = runId;
    void this.load(runId);
  }

  unwatch(): void {
    this.runId = "";
    this.socket?.close();
    this.socket = null;
    this.state = null;
    this.error = null;
    this.lostAt = null;
    this.connection = "connecting";
  }

  /** Read the snapshot again, after an error. */
  reload(): void {
    const runId = this.runId;
    this.unwatch();
    this.watch(runId);
  }

  hostDisconnected(): void {
    this.unwatch();
  }

  private async load(runId: string): Promise<void> {
    try {
      const run = await getRun(runId);
      // The run is read first: what comes after its last_seq follows by socket.
      const [results, history] = await Promise.all([hasEnded(run) && run.links.results ? getResults(run) : [], readHistory(run)]);
      if (runId !== this.runId) return;
      this.state = fromSnapshot(run, results, history);
      if (hasEnded(this.state)) this.setStatus("ended");
      else this.follow(run);
    } catch (error) {
      if (runId !== this.runId) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, String(error));
    }
    this.host.requestUpdate();
  }

  private follow(run: Run): void {
    this.socket = new RunConnection(run, run.last_seq, {
      onEvents: (events) => this.apply(events),
      onStatus: (status) => this.setStatus(status),
      onRefused: (status) => {
        this.error = new ApiError(status, status === 401 ? "You are logged out." : "This run is no longer there.");
        this.host.requestUpdate();
      },
    });
  }

  private apply(events: RunEvent[]): void {
    if (!this.state) return;
    const before = this.state;
    this.state = applyEvents(before, events);
    if (hasEnded(this.state) && !hasEnded(before)) {
      void this.readLinks();
      this.onEnd(this.state);
    } else if (this.state.status !== before.status) void this.readLinks();
    this.host.requestUpdate();
  }

  /** Which controls a run offers changes with its status, and only the run itself says it. */
  private async readLinks(): Promise<void> {
    const { runId } = this;
    const number = ++this.asked;
    try {
      const run = await getRun(runId);
      // Another run may be watched by now, or a later answer be here.
      if (!this.state || runId !== this.runId || number !== this.asked) return;
      this.state = { ...this.state, run };
      this.host.requestUpdate();
    } catch {
      // The links of before stay; using a stale one answers with a message of its own.
    }
  }

  private setStatus(status: ConnectionStatus): void {
    this.connection = status;
    this.lostAt = status === "lost" ? (this.lostAt ?? Date.now()) : null;
    this.host.requestUpdate();
  }
}

/** Stored events: all while the run is under way, and where results don't tell everything; else the latest, for the feed. */
async function readHistory(run: Run): Promise<RunEvent[]> {
  const history: RunEvent[] = [];
  const needsAll = !hasEnded(run) || run.progress.failed > 0 || !run.links.results;
  let after = needsAll ? 0 : Math.max(0, run.last_seq - FEED_LENGTH);
  while (after < run.last_seq) {
    const page = await getEvents(run, after);
    if (page.events.length === 0) break;
    history.push(...page.events.filter((event) => event.seq <= run.last_seq));
    after = page.events.at(-1)!.seq;
  }
  return history;
}
