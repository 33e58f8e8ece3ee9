import { describe, expect, it } from "vitest";

import type { Strategy } from "../api/types";
import { serverSearch } from "./strategies";

const ALL = [{ name: "rsi", title: "RSI reversal" }, { name: "sma_cross", title: "Simple moving average cross" }, { name: "zscore", title: "Z-score, back to the mean" }] as Strategy[];

describe("a search in the server's words", () => {
  it("finds a strategy by the words of its title", () => {
    expect(serverSearch("moving average 24", ALL)).toBe("moving|sma_cross average|sma_cross 24");
    expect(serverSearch("  Rev   period ", ALL)).toBe("Rev|rsi period");
  });

  it("adds nothing to words that the name begins with, nor before the strategies are known", () => {
    expect(serverSearch("rsi cross", ALL)).toBe("rsi cross");
    expect(serverSearch("reversal", [])).toBe("reversal");
  });

  it("leaves strange words as they are", () => {
    expect(serverSearch("(.* <b> 日本", ALL)).toBe("(.* <b> 日本");
    expect(serverSearch("   ", ALL)).toBe("");
  });
});
