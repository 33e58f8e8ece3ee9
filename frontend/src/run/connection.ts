/** Keeps hearing a run's events, whatever the network does: WebSocket, else server-sent events, else polling. */

import { getEvents } from "../api/client";
import { Reconnection } from "../api/reconnection";
import type { Run, RunEvent } from "../api/types";
import { type End, type Transport, polling, serverSentEvents, webSocket } from "./transports";

export type ConnectionStatus = "connecting" | "live" | "polling" | "lost" | "ended";

export interface ConnectionListener {
  onEvents(events: RunEvent[]): void;
  onStatus(status: ConnectionStatus): void;
  onRefused(status: number): void;
}

/** A socket may die without a word: after this silence the table is asked whether we missed something. */
const SILENCE_MS = 8000;
const HIDDEN_FLUSH_MS = 250;

export class RunConnection {
  private readonly reconnection: Reconnection<Transport>;
  private stop: (() => void) | null = null;
  private frame = 0;
  private flushTimer = 0;
  private lastHeard = Date.now();
  private buffer: RunEvent[] = [];
  private closed = false;
  private readonly watchdog: number;

  constructor(
    private readonly run: Run,
    private received: number,
    private readonly listener: ConnectionListener,
  ) {
    const ways = run.links.stream ? [webSocket, serverSentEvents, polling] : [webSocket, polling];
    this.reconnection = new Reconnection(ways, () => this.open(), () => this.onOffline());
    this.watchdog = window.setInterval(() => void this.checkSilence(), SILENCE_MS / 2);
    this.listener.onStatus("connecting");
    this.open();
  }

  close(): void {
    this.closed = true;
    this.drop();
    clearInterval(this.watchdog);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.flushTimer);
    this.reconnection.close();
  }

  private open(): void {
    this.drop();
    if (this.closed) return;
    this.stop = this.reconnection.way(this.run, this.received, {
      onOpen: () => {
        this.reconnection.opened();
        this.lastHeard = Date.now();
        this.listener.onStatus(this.reconnection.isLastWay ? "polling" : "live");
      },
      onEvent: (event) => this.receive(event),
      onEnd: (end) => this.onEnd(end),
    });
  }

  private drop(): void {
    this.reconnection.hold();
    this.stop?.();
    this.stop = null;
  }

  private receive(event: RunEvent): void {
    this.lastHeard = Date.now();
    if (event.seq <= this.received) return;
    if (event.seq > this.received + 1) return this.open();
    this.received = event.seq;
    this.buffer.push(event);
    if (this.buffer.length > 1) return;
    // One render per frame however many events come; the timer is for a hidden page, which has no frames.
    this.frame = requestAnimationFrame(this.flush);
    this.flushTimer = window.setTimeout(this.flush, HIDDEN_FLUSH_MS);
  }

  private readonly flush = (): void => {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.flushTimer);
    const events = this.buffer;
    this.buffer = [];
    if (events.length > 0) this.listener.onEvents(events);
  };

  private onEnd(end: End): void {
    this.stop = null;
    if (end.kind === "ended") {
      this.flush();
      this.close();
      this.listener.onStatus("ended");
    } else if (end.kind === "refused") {
      this.close();
      this.listener.onRefused(end.status);
    } else this.lost(end.wasOpen);
  }

  private lost(wasOpen: boolean): void {
    this.listener.onStatus("lost");
    this.reconnection.lost(wasOpen);
  }

  private onOffline(): void {
    this.drop();
    this.listener.onStatus("lost");
  }

  private async checkSilence(): Promise<void> {
    if (this.stop === null || this.reconnection.isLastWay || Date.now() - this.lastHeard < SILENCE_MS) return;
    try {
      const page = await getEvents(this.run, this.received);
      if (page.events.some((event) => event.seq > this.received)) this.open();
      this.lastHeard = Date.now();
    } catch {
      this.onOffline();
      this.lost(true);
    }
  }
}
