import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Reconnection, refusedStatus, socketAddress } from "./reconnection";

let listeners: Record<string, () => void>;
let opened: string[];
let offline: number;
let reconnection: Reconnection<string>;

beforeEach(() => {
  vi.useFakeTimers();
  [listeners, opened, offline] = [{}, [], 0];
  vi.stubGlobal("window", {
    setTimeout,
    addEventListener: (name: string, listener: () => void) => { listeners[name] = listener; },
    removeEventListener: (name: string) => { delete listeners[name]; },
  });
  reconnection = new Reconnection(["socket", "stream", "polling"], () => opened.push(reconnection.way), () => { offline += 1; });
});

afterEach(() => {
  reconnection.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (ms: number) => vi.advanceTimersByTime(ms);

test("a way that never opens twice gives place to the next, and after the last it begins anew", () => {
  for (let attempt = 0; attempt < 6; attempt += 1) {
    reconnection.lost(false);
    pass(5000);
  }
  expect(opened).toEqual(["socket", "stream", "stream", "polling", "socket", "stream"]);
});

test("a way that opened is kept, however often it is lost", () => {
  for (let attempt = 0; attempt < 9; attempt += 1) {
    reconnection.opened();
    reconnection.lost(true);
    pass(1000);
  }
  expect(new Set(opened)).toEqual(new Set(["socket"]));
});

test("each attempt waits longer, up to a few seconds", () => {
  const waited = Array.from({ length: 8 }, () => {
    const before = opened.length;
    let ms = 0;
    for (reconnection.lost(true); opened.length === before; ms += 1) pass(1);
    return ms;
  });
  expect(waited[0]).toBeGreaterThanOrEqual(375);
  expect(waited[2]).toBeGreaterThan(waited[0]!);
  expect(Math.max(...waited)).toBeLessThanOrEqual(6251);
  expect(waited[7]).toBeGreaterThanOrEqual(3750);
});

test("two losses at once lead to one attempt", () => {
  reconnection.lost(true);
  reconnection.lost(true);
  pass(60_000);
  expect(opened).toHaveLength(1);
});

test("with the network it comes back at once, by the first way", () => {
  for (let attempt = 0; attempt < 2; attempt += 1) reconnection.lost(false);
  listeners["offline"]!();
  listeners["online"]!();
  expect([offline, opened]).toEqual([1, ["socket"]]);
});

test("closed, it listens and waits no more", () => {
  reconnection.lost(true);
  reconnection.close();
  expect([listeners, vi.getTimerCount()]).toEqual([{}, 0]);
});

test("close codes of our own tell why a server refuses, others that the way was lost", () => {
  expect([4400, 4401, 4403, 4404].map(refusedStatus)).toEqual([400, 401, 403, 404]);
  expect([1000, 1006, 4500].map(refusedStatus)).toEqual([null, null, null]);
});

test("sockets are as safe as the page", () => {
  vi.stubGlobal("location", { href: "https://host/runs/" });
  expect(socketAddress("/ws/prices/?interval=5").href).toBe("wss://host/ws/prices/?interval=5");
  vi.stubGlobal("location", { href: "http://host/runs/" });
  expect(socketAddress("/ws/").href).toBe("ws://host/ws/");
});
