/** Everything the page needs to show prices: follows them, reads their last points, tells its page when to draw. */

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { getHistories } from "./api";
import { type ConnectionStatus, PricesConnection, type Wanted } from "./connection";
import { EMPTY, type PricesState, apply, withHistory } from "./state";
import type { Alert, PricesMessage } from "./types";

export class PricesWatcher implements ReactiveController {
  state: PricesState = EMPTY;
  /** False until the first message. */
  isLoaded = false;
  connection: ConnectionStatus = "connecting";
  /** When the connection was lost, in ms since the epoch. */
  lostAt: number | null = null;
  refusal = "";

  private socket: PricesConnection | null = null;
  private readonly histories = new Set<string>();
  private frame = 0;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly onFired: (alerts: Alert[]) => void,
  ) {
    host.addController(this);
  }

  watch(wanted: Wanted): void {
    this.socket?.close();
    this.refusal = "";
    this.socket = new PricesConnection(wanted, {
      onMessage: (message) => this.take(message),
      onStatus: (status) => this.setStatus(status),
      onRefused: (_status, reason) => {
        this.refusal = reason || "The server refuses to send prices.";
        this.host.requestUpdate();
      },
    });
  }

  want(wanted: Wanted): void {
    if (this.refusal) this.watch(wanted);
    else this.socket?.want(wanted);
  }

  pause(): void {
    this.socket?.pause();
  }

  resume(): void {
    this.socket?.resume();
  }

  hostDisconnected(): void {
    this.socket?.close();
    cancelAnimationFrame(this.frame);
  }

  private take(message: PricesMessage): void {
    this.state = apply(this.state, message, Date.now());
    this.isLoaded = true;
    if (message.type === "snapshot") void this.readHistories();
    if (message.alerts.length > 0) this.onFired(message.alerts);
    // One drawing per frame however many messages come.
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.host.requestUpdate());
  }

  /** Points from before the page was opened, once for each symbol. */
  private async readHistories(): Promise<void> {
    const missing = [...this.state.tickers.keys()].filter((symbol) => !this.histories.has(symbol));
    if (missing.length === 0) return;
    for (const symbol of missing) this.histories.add(symbol);
    try {
      this.state = withHistory(this.state, await getHistories(missing));
      this.host.requestUpdate();
    } catch {
      // The lines begin with what comes live.
      for (const symbol of missing) this.histories.delete(symbol);
    }
  }

  private setStatus(status: ConnectionStatus): void {
    this.connection = status;
    this.lostAt = status === "lost" ? (this.lostAt ?? Date.now()) : null;
    this.host.requestUpdate();
  }
}
