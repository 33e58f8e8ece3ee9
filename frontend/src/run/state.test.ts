import { describe, expect, test } from "vitest";

import fixture from "../../../tests/fixtures/run_events.json";
import type { Result, Run, RunEvent } from "../api/types";
import { MissingEvents, applyEvents, fromSnapshot, hasEnded, shareDone, type RunState } from "./state";

const events = fixture.events as unknown as RunEvent[];
const atStart = fixture.run_at_start as unknown as Run;
const inTheMiddle = fixture.run_in_the_middle as unknown as Run;
const atEnd = fixture.run_at_end as unknown as Run;
const resultsInTheMiddle = fixture.results_in_the_middle.results as unknown as Result[];
const resultsAtEnd = fixture.results_at_end.results as unknown as Result[];
const until = (run: Run) => events.filter((event) => event.seq <= run.last_seq);

/** All that two states must agree on; how a row came here (`isNew`) and the time of the last event may differ. */
function content(state: RunState) {
  const rows = [...state.rows.values()].map(({ isNew: _, ...row }) => row);
  const { status, reason, error, summary, progress, lastSeq, feed } = state;
  return { status, reason, error, summary, progress, lastSeq, feed, rows, failures: [...state.failures] };
}

describe("snapshot and events", () => {
  const fresh = fromSnapshot(atEnd, resultsAtEnd, events);

  test("an early snapshot plus all events equals a fresh snapshot", () => {
    const state = applyEvents(fromSnapshot(atStart, [], until(atStart)), events);
    expect(content(state)).toEqual(content(fresh));
    expect(hasEnded(state)).toBe(true);
  });

  test("a snapshot in mid-run, read from events or from results, plus the rest equals a fresh snapshot", () => {
    const state = fromSnapshot(inTheMiddle, [], until(inTheMiddle));
    expect(content(state)).toEqual(content(fromSnapshot(inTheMiddle, resultsInTheMiddle, until(inTheMiddle))));
    expect(content(applyEvents(state, events.slice(inTheMiddle.last_seq)))).toEqual(content(fresh));
  });

  test("wherever the stream is cut and read again with an overlap, nothing is lost or doubled", () => {
    for (let cut = 0; cut <= events.length; cut += 1) {
      const first = applyEvents(fromSnapshot(atStart, [], until(atStart)), events.slice(0, cut));
      const second = applyEvents(first, events.slice(Math.max(0, cut - 3)));
      expect(content(second)).toEqual(content(fresh));
    }
  });

  test("results that are newer than the run of the snapshot count once", () => {
    const state = fromSnapshot(inTheMiddle, resultsAtEnd, until(inTheMiddle));
    expect(applyEvents(state, events.slice(inTheMiddle.last_seq)).rows.size).toBe(resultsAtEnd.length);
  });
});

describe("jobs that take longer", () => {
  const base = { run: atStart.id, at: "2025-11-20T08:43:46.000Z", progress: { ...atStart.progress, total: 2 } };
  const advance = (seq: number, key: string, share: number): RunEvent =>
    ({ ...base, seq, type: "progress", change: "advance", status: "running", key, share, step: "checking" });
  const start = fromSnapshot({ ...atStart, progress: base.progress }, []);

  test("their shares count into the run's, until they have ended", () => {
    const busy = applyEvents(start, [advance(2, "A", 0.2), advance(3, "B", 0.5), advance(4, "A", 0.4)]);
    expect([...busy.advances]).toEqual([["A", { share: 0.4, step: "checking" }], ["B", { share: 0.5, step: "checking" }]]);
    expect(shareDone(busy)).toBeCloseTo(0.45);
    const half = applyEvents(busy, [{ ...base, seq: 5, type: "failure", key: "A", reason: "none there", progress: { ...base.progress, completed: 1, failed: 1, percent: 50 } }]);
    expect([...half.advances.keys()]).toEqual(["B"]);
    expect(shareDone(half)).toBeCloseTo(0.75);
  });

  test("a snapshot and its history give the same", () => {
    const history = [...events.slice(0, 1), advance(2, "A", 0.2), advance(3, "A", 0.4)];
    expect([...fromSnapshot({ ...atStart, last_seq: 3 }, [], history).advances]).toEqual([["A", { share: 0.4, step: "checking" }]]);
    expect(fromSnapshot({ ...atEnd, last_seq: 3 }, [], history).advances.size).toBe(0);
  });
});

describe("events", () => {
  test("a gap is noticed and leaves the state as it was", () => {
    const state = fromSnapshot(atStart, []);
    expect(() => applyEvents(state, [events[1]!, events[3]!])).toThrow(MissingEvents);
    expect(state.rows.size).toBe(0);
    expect(state.lastSeq).toBe(1);
  });

  test("events known already return the same state", () => {
    const state = fromSnapshot(atEnd, resultsAtEnd);
    expect(applyEvents(state, events)).toBe(state);
  });

  test("a pause shows and ends", () => {
    const paused = events.findIndex((event) => event.type === "progress" && event.change === "paused");
    const state = applyEvents(fromSnapshot(atStart, []), events.slice(0, paused + 1));
    expect(state.status).toBe("paused");
    expect(applyEvents(state, events.slice(0, paused + 2)).status).toBe("running");
  });

  test("what other kinds of runs bring is kept by key, live and from history alike", () => {
    const download = { ...events[1]!, result: { symbol: "BTCUSDT", added_count: 700 } } as unknown as RunEvent;
    const live = applyEvents(fromSnapshot(atStart, []), [download]);
    expect([...live.outcomes]).toEqual([["BTCUSDT", { symbol: "BTCUSDT", added_count: 700 }]]);
    expect([live.rows.size, live.feed[0]!.totalReturn]).toEqual([0, null]);
    expect(fromSnapshot({ ...atStart, last_seq: 2 }, [], [download]).outcomes).toEqual(live.outcomes);
  });

  test("an error ends the run as failed and keeps its message", () => {
    const error: RunEvent = {
      seq: 2, type: "error", run: atStart.id, at: atStart.created_at, progress: atStart.progress, message: "disk full",
    };
    const state = applyEvents(fromSnapshot(atStart, []), [error]);
    expect([state.status, state.error]).toEqual(["failed", "disk full"]);
  });

  test("hits are counted from the snapshot on", () => {
    const hit = { ...events[1]!, hit: true } as RunEvent;
    const miss = { ...events[2]!, hit: false } as RunEvent;
    expect(applyEvents(fromSnapshot({ ...atStart, hits: 2 }, []), [hit, miss]).hits).toBe(3);
  });

  test("a failure is kept with its reason and stands in the feed", () => {
    const state = applyEvents(fromSnapshot(atStart, []), events);
    expect(state.failures.get("USDCUSDT")).toContain("No candles");
    expect(state.feed.filter((entry) => entry.failure !== null).map((entry) => entry.symbol)).toEqual(["USDCUSDT"]);
    expect(state.feed[0]!.symbol).toBe("SOLUSDT");
  });
});
