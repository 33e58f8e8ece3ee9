/** Keeps hearing a run's events, whatever the network does: WebSocket, else server-sent events, else polling. */

import { getEvents } from "../api/client";
import type { Run, RunEvent } from "../api/types";
import { type End, type Transport, polling, serverSentEvents, webSocket } from "./transports";

export type ConnectionStatus = "connecting" | "live" | "polling" | "lost" | "ended";

export interface ConnectionListener {
  onEvents(events: RunEvent[]): void;
  onStatus(status: ConnectionStatus): void;
  onRefused(status: number): void;
}

const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 5000;
/** A way that never opened this often in a row is taken as blocked. */
const FAILURES_UNTIL_NEXT_WAY = 2;
/** A socket may die without a word: after this silence the table is asked whether we missed something. */
const SILENCE_MS = 8000;
const HIDDEN_FLUSH_MS = 250;

export class RunConnection {
  private readonly ways: Transport[];
  private way = 0;
  private failures = 0;
  private stop: (() => void) | null = null;
  private retry = 0;
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
    this.ways = run.links.stream ? [webSocket, serverSentEvents, polling] : [webSocket, polling];
    window.addEventListener("offline", this.onOffline);
    window.addEventListener("online", this.onOnline);
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
    window.removeEventListener("offline", this.onOffline);
    window.removeEventListener("online", this.onOnline);
  }

  private open(): void {
    this.drop();
    if (this.closed) return;
    const transport = this.ways[this.way]!;
    this.stop = transport(this.run, this.received, {
      onOpen: () => {
        this.failures = 0;
        this.lastHeard = Date.now();
        this.listener.onStatus(transport === polling ? "polling" : "live");
      },
      onEvent: (event) => this.receive(event),
      onEnd: (end) => this.onEnd(end),
    });
  }

  private drop(): void {
    clearTimeout(this.retry);
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
    const wasPolling = this.ways[this.way] === polling;
    this.failures += 1;
    this.listener.onStatus("lost");
    if (wasPolling) this.way = 0;
    else if (!wasOpen && this.failures >= FAILURES_UNTIL_NEXT_WAY) {
      this.way += 1;
      this.failures = 0;
    }
    const delay = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures);
    this.retry = window.setTimeout(() => this.open(), delay * (0.75 + Math.random() / 2));
  }

  private readonly onOffline = (): void => {
    this.drop();
    this.listener.onStatus("lost");
  };

  private readonly onOnline = (): void => {
    this.way = 0;
    this.failures = 0;
    this.open();
  };

  private async checkSilence(): Promise<void> {
    if (this.stop === null || this.ways[this.way] === polling || Date.now() - this.lastHeard < SILENCE_MS) return;
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
