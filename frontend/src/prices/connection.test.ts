import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type ConnectionStatus, PricesConnection } from "./connection";
import type { PricesMessage } from "./types";

class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 1;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number; reason: string }) => void) | null = null;
  constructor(readonly url: URL) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {}
}

class FakeSource {
  static all: FakeSource[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    FakeSource.all.push(this);
  }
  close(): void {}
}

const MESSAGE: PricesMessage = { type: "update", at_ms: 1, prices: [], activity: [], status: null, alerts: [] };

let listeners: Record<string, () => void>;
let got: PricesMessage[];
let statuses: ConnectionStatus[];
let refusals: [number, string][];
let asked: string[];
let connection: PricesConnection;

beforeEach(() => {
  vi.useFakeTimers();
  [FakeSocket.all, FakeSource.all] = [[], []];
  [listeners, got, statuses, refusals, asked] = [{}, [], [], [], []];
  vi.stubGlobal("location", { href: "https://host/prices/" });
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("EventSource", FakeSource);
  vi.stubGlobal("window", {
    setTimeout, setInterval,
    addEventListener: (name: string, listener: () => void) => { listeners[name] = listener; },
    removeEventListener: (name: string) => { delete listeners[name]; },
  });
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", async (address: string) => {
    asked.push(address);
    return Response.json(MESSAGE);
  });
  connection = new PricesConnection({ intervalSeconds: 5, source: null }, {
    onMessage: (message) => got.push(message),
    onStatus: (status) => statuses.push(status),
    onRefused: (status, reason) => refusals.push([status, reason]),
  });
});

afterEach(() => {
  connection.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const socket = () => FakeSocket.all.at(-1)!;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const open = () => {
  socket().onopen?.();
  socket().onmessage?.({ data: JSON.stringify(MESSAGE) });
};

test("prices arrive, replies are no prices", () => {
  expect(socket().url.href).toBe("wss://host/ws/prices/?interval=5");
  open();
  socket().onmessage?.({ data: JSON.stringify({ type: "reply", to: "pause" }) });
  expect([got.length, statuses]).toEqual([1, ["connecting", "live"]]);
});

test("interval, source, pause and resume are said on the open socket", () => {
  open();
  connection.want({ intervalSeconds: 1, source: "binance" });
  connection.pause();
  connection.resume();
  expect(socket().sent.map((text) => JSON.parse(text) as unknown)).toEqual([
    { type: "set", interval: 1, source: "binance" }, { type: "pause" }, { type: "resume" },
  ]);
  expect(statuses).toEqual(["connecting", "live", "paused", "live"]);
});

test("a lost socket comes back with what is wanted now, paused if it was", async () => {
  open();
  connection.want({ intervalSeconds: 30, source: null });
  connection.pause();
  socket().onclose?.({ code: 1006, reason: "" });
  await pass(1000);
  expect([FakeSocket.all.length, socket().url.search]).toEqual([2, "?interval=30"]);
  open();
  expect(socket().sent).toEqual(['{"type":"pause"}']);
  expect(statuses.at(-1)).toBe("paused");
});

test("where sockets are blocked a stream is used, and where that is blocked too it asks", async () => {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    socket().onclose?.({ code: 1006, reason: "" });
    await pass(1500);
  }
  expect(FakeSource.all.map(({ url }) => url)).toEqual(["/api/prices/stream/?interval=5"]);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    FakeSource.all.at(-1)!.onerror?.();
    await pass(1500);
  }
  expect(asked).toEqual(["/api/prices/"]);
  await pass(5000);
  expect(asked).toHaveLength(2);
  expect(statuses.at(-1)).toBe("polling");
});

test("a refusal is told and not tried again", async () => {
  socket().onclose?.({ code: 4400, reason: "no such source" });
  await pass(60_000);
  expect([refusals, FakeSocket.all.length]).toEqual([[[400, "no such source"]], 1]);
});

test("a socket that died without a word is opened anew", async () => {
  open();
  await pass(31_000);
  expect(FakeSocket.all.length).toBeGreaterThan(1);
  expect(statuses).toContain("lost");
});

test("offline is told at once, and it comes back when the network does", () => {
  open();
  listeners["offline"]!();
  expect(statuses.at(-1)).toBe("lost");
  listeners["online"]!();
  expect(FakeSocket.all).toHaveLength(2);
});
