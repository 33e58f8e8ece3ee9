import { afterEach, beforeEach, expect, test, vi } from "vitest";

import fixture from "../../../tests/fixtures/run_events.json";
import type { Run, RunEvent } from "../api/types";
import { type ConnectionStatus, RunConnection } from "./connection";

const events = fixture.events as unknown as RunEvent[];
const run = fixture.run_at_start as unknown as Run;

/** A network of the test's own: sockets that it opens, feeds and closes, and stored events to ask for. */
class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  constructor(readonly url: URL) {
    FakeSocket.all.push(this);
  }
  close(): void {}
  send(...some: RunEvent[]): void {
    for (const event of some) this.onmessage?.({ data: JSON.stringify(event) });
  }
}

let listeners: Record<string, () => void>;
let stored: RunEvent[];
let isDown: boolean;
let asked: string[];
let got: RunEvent[];
let statuses: ConnectionStatus[];
let refusals: number[];
let connection: RunConnection;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  [listeners, stored, isDown, asked, got, statuses, refusals] = [{}, [], false, [], [], [], []];
  vi.stubGlobal("location", { href: "https://host/runs/" });
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => setTimeout(draw, 16));
  vi.stubGlobal("cancelAnimationFrame", (id: number) => clearTimeout(id));
  vi.stubGlobal("window", {
    setTimeout, setInterval,
    addEventListener: (name: string, listener: () => void) => { listeners[name] = listener; },
    removeEventListener: (name: string) => { delete listeners[name]; },
  });
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", async (address: string) => {
    asked.push(address);
    if (isDown) throw new TypeError("no network");
    const after = Number(new URL(address, "https://host").searchParams.get("after"));
    return Response.json({ events: stored.filter(({ seq }) => seq > after), last_seq: stored.length, ended: stored.length === events.length });
  });
});

afterEach(() => {
  connection.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function connect(): FakeSocket {
  connection = new RunConnection(run, run.last_seq, {
    onEvents: (some) => got.push(...some),
    onStatus: (status) => statuses.push(status),
    onRefused: (status) => refusals.push(status),
  });
  return last();
}

const last = (): FakeSocket => FakeSocket.all.at(-1)!;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const seqs = () => got.map(({ seq }) => seq);
const all = events.slice(1).map(({ seq }) => seq);

test("events of one frame arrive together, and a normal close ends", async () => {
  const socket = connect();
  expect(socket.url.href).toBe(`wss://host/ws/runs/${run.id}/?after=1`);
  socket.onopen?.();
  socket.send(...events.slice(1));
  expect(got).toEqual([]);
  await pass(16);
  expect(seqs()).toEqual(all);
  socket.onclose?.({ code: 1000 });
  expect(statuses).toEqual(["connecting", "live", "ended"]);
});

test("a lost socket comes back with the last event that arrived, and repeats are dropped", async () => {
  const socket = connect();
  socket.onopen?.();
  socket.send(...events.slice(1, 5));
  socket.onclose?.({ code: 1006 });
  await pass(1000);
  expect(last().url.searchParams.get("after")).toBe("5");
  last().onopen?.();
  last().send(...events.slice(3));
  await pass(16);
  expect(seqs()).toEqual(all);
});

test("a gap makes it read again from the last event without one", async () => {
  const socket = connect();
  socket.onopen?.();
  socket.send(events[1]!, events[4]!);
  expect(FakeSocket.all).toHaveLength(2);
  expect(last().url.searchParams.get("after")).toBe("2");
  await pass(16);
  expect(seqs()).toEqual([2]);
});

test("where sockets never open, it polls until the end", async () => {
  connect().onclose?.({ code: 1006 });
  await pass(1000);
  last().onclose?.({ code: 1006 });
  stored = events.slice(0, 6);
  await pass(1000);
  expect(seqs()).toEqual(all.slice(0, 5));
  stored = events;
  await pass(2000);
  expect(seqs()).toEqual(all);
  expect(statuses.slice(-2)).toEqual(["polling", "ended"]);
});

test("when polling fails, too, the server was down: it starts again with a socket", async () => {
  connect().onclose?.({ code: 1006 });
  await pass(1000);
  isDown = true;
  last().onclose?.({ code: 1006 });
  await pass(8000);
  expect(FakeSocket.all.length).toBeGreaterThan(2);
  expect(statuses.at(-1)).toBe("lost");
});

test.each([[4401, 401], [4404, 404]])("close code %s is final", async (code, status) => {
  connect().onclose?.({ code });
  await pass(60_000);
  expect(refusals).toEqual([status]);
  expect(FakeSocket.all).toHaveLength(1);
});

test("a socket that died without a word is noticed by asking", async () => {
  connect().onopen?.();
  stored = events.slice(0, 4);
  await pass(13_000);
  expect(asked).toHaveLength(1);
  expect(FakeSocket.all).toHaveLength(2);
});

test("offline is shown at once, and online returns at once", () => {
  connect().onopen?.();
  listeners["offline"]!();
  expect(statuses.at(-1)).toBe("lost");
  listeners["online"]!();
  expect(FakeSocket.all).toHaveLength(2);
});

test("after the end nothing listens or waits any more", () => {
  connect().onclose?.({ code: 1000 });
  expect(listeners).toEqual({});
  expect(vi.getTimerCount()).toBe(0);
});
