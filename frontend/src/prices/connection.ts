/** Keeps prices coming, whatever the network does: WebSocket, else server-sent events, else polling. */

import { Reconnection, refusedStatus, socketAddress } from "../api/reconnection";
import { getPrices } from "./api";
import type { PricesMessage } from "./types";

export type ConnectionStatus = "connecting" | "live" | "polling" | "lost" | "paused";

export interface ConnectionListener {
  onMessage(message: PricesMessage): void;
  onStatus(status: ConnectionStatus): void;
  onRefused(status: number, reason: string): void;
}

interface Way {
  stop(): void;
  /** Tell the server another interval; without it the way is opened anew. */
  send?(message: unknown): void;
}

/** What is asked for: how often, and only from one source or from whichever is in use. */
export interface Wanted {
  intervalSeconds: number;
  source: string | null;
}

type Open = (wanted: Wanted, callbacks: Callbacks) => Way;

interface Callbacks {
  onOpen(): void;
  onMessage(message: PricesMessage): void;
  onRefused(status: number, reason: string): void;
  onLost(): void;
}

/** The server says something at least this often; a connection that is silent for longer has died without a word. */
const SILENCE_MS = 25_000;
const CHECK_MS = 5000;

const queryOf = ({ intervalSeconds, source }: Wanted) => new URLSearchParams({ interval: String(intervalSeconds), ...(source ? { source } : {}) });

const isPrices = (message: { type: string }): message is PricesMessage => message.type === "snapshot" || message.type === "update";

const webSocket: Open = (wanted, callbacks) => {
  const socket = new WebSocket(socketAddress(`/ws/prices/?${queryOf(wanted)}`));
  socket.onopen = () => callbacks.onOpen();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data as string) as { type: string };
    if (isPrices(message)) callbacks.onMessage(message);
  };
  socket.onclose = ({ code, reason }) => {
    const status = refusedStatus(code);
    if (status !== null) callbacks.onRefused(status, reason);
    else callbacks.onLost();
  };
  return {
    stop: () => {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    },
    send: (message) => { if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); },
  };
};

const serverSentEvents: Open = (wanted, callbacks) => {
  const source = new EventSource(`/api/prices/stream/?${queryOf(wanted)}`);
  source.onopen = () => callbacks.onOpen();
  source.onmessage = ({ data }) => callbacks.onMessage(JSON.parse(data as string) as PricesMessage);
  // The browser would reconnect on its own; we do it, with our own delays.
  source.onerror = () => {
    source.close();
    callbacks.onLost();
  };
  return { stop: () => source.close() };
};

const polling: Open = (wanted, callbacks) => {
  let stopped = false;
  let timer = 0;
  const poll = async () => {
    try {
      const message = await getPrices(wanted.source);
      if (stopped) return;
      callbacks.onOpen();
      callbacks.onMessage(message);
      timer = window.setTimeout(poll, wanted.intervalSeconds * 1000);
    } catch {
      if (!stopped) callbacks.onLost();
    }
  };
  void poll();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
};

const WAYS: readonly Open[] = [webSocket, serverSentEvents, polling];

export class PricesConnection {
  private readonly reconnection: Reconnection<Open>;
  private wasOpen = false;
  private isPaused = false;
  private way: Way | null = null;
  private heardAt = Date.now();
  private readonly watchdog: number;

  constructor(
    private wanted: Wanted,
    private readonly listener: ConnectionListener,
  ) {
    this.reconnection = new Reconnection(WAYS, () => this.open(), () => this.onOffline());
    this.watchdog = window.setInterval(() => this.checkSilence(), CHECK_MS);
    this.listener.onStatus("connecting");
    this.open();
  }

  close(): void {
    this.drop();
    clearInterval(this.watchdog);
    this.reconnection.close();
  }

  /** Ask for something else from now on. */
  want(wanted: Wanted): void {
    this.wanted = wanted;
    if (this.way?.send) this.way.send({ type: "set", interval: wanted.intervalSeconds, source: wanted.source });
    else if (!this.isPaused) this.open();
  }

  /** Hear no more prices; the server keeps none for us but the newest. */
  pause(): void {
    this.isPaused = true;
    if (this.way?.send) this.way.send({ type: "pause" });
    else this.drop();
    this.listener.onStatus("paused");
  }

  /** Go on with the newest of all. */
  resume(): void {
    this.isPaused = false;
    if (this.way?.send && this.wasOpen) {
      this.way.send({ type: "resume" });
      this.listener.onStatus("live");
    } else this.open();
  }

  private open(): void {
    this.drop();
    this.wasOpen = false;
    this.heardAt = Date.now();
    this.way = this.reconnection.way(this.wanted, {
      onOpen: () => this.onOpen(),
      onMessage: (message) => {
        this.heardAt = Date.now();
        this.listener.onMessage(message);
      },
      onRefused: (status, reason) => {
        this.close();
        this.listener.onRefused(status, reason);
      },
      onLost: () => this.onLost(),
    });
  }

  private onOpen(): void {
    this.wasOpen = true;
    this.reconnection.opened();
    if (this.isPaused) this.way?.send?.({ type: "pause" });
    else this.listener.onStatus(this.reconnection.isLastWay ? "polling" : "live");
  }

  private drop(): void {
    this.reconnection.hold();
    this.way?.stop();
    this.way = null;
  }

  private onLost(): void {
    this.drop();
    if (!this.isPaused) this.listener.onStatus("lost");
    this.reconnection.lost(this.wasOpen);
  }

  private onOffline(): void {
    this.drop();
    this.listener.onStatus("lost");
  }

  private checkSilence(): void {
    if (this.way !== null && !this.reconnection.isLastWay && Date.now() - this.heardAt > SILENCE_MS) this.onLost();
  }
}
