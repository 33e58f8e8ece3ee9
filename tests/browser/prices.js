// A socket that sends one snapshot of prices: "live", "stale" (by a feed that says nothing more) or "none" (no feed at all).
function pretendPrices([state, known]) {
  const symbols = Object.keys(known);
  const age = state === "stale" ? 190_000 : 400;
  const price = (symbol, index, now) => ({
    symbol, price: known[symbol], source: "binance", role: "primary", exchange_time_ms: now - age, received_time_ms: now - age,
    change_24h: ((index * 37) % 23) / 200 - 0.05, high_24h: known[symbol] * 1.04, low_24h: known[symbol] * 0.95, volume_24h_quote: 9e9 / (index + 1),
    is_replay: false, age_ms: age, stale: state === "stale",
  });
  const happened = (index, now) => {
    const symbol = symbols[index % symbols.length];
    const what = [
      { kind: "large_move", change: index % 8 ? 0.021 : -0.034, seconds: 60 }, { kind: "high_24h", price: known[symbol] },
      { kind: "low_24h", price: known[symbol] }, { kind: "source_change", symbol: null, before: "ccxt:kraken", reason: "no price within 5 s" },
    ][index % 4];
    return { id: index, at_ms: now - (60 - index) * 41_000, symbol, source: "binance", ...what };
  };
  const hasFeed = state !== "none";
  const snapshot = (now) => ({
    type: "snapshot", at_ms: now, alerts: [],
    prices: hasFeed ? symbols.map((symbol, index) => price(symbol, index, now)) : [],
    activity: hasFeed ? Array.from({ length: 60 }, (_, index) => happened(60 - index, now)) : [],
    status: {
      state: state === "stale" ? "silent" : state, source: hasFeed ? "binance" : null, role: hasFeed ? "primary" : null, since_ms: now - 5e6, is_replay: false,
      sources: hasFeed ? [{ name: "binance", role: "primary", state: "active", since_ms: now - 5e6, reason: null }] : [],
    },
  });
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 1;
    constructor() {
      this.timer = setInterval(() => {
        this.onopen?.();
        this.onmessage?.({ data: JSON.stringify(snapshot(Date.now())) });
      }, state === "stale" ? 1e9 : 500);
      setTimeout(() => this.onmessage?.({ data: JSON.stringify(snapshot(Date.now())) }));
    }
    send() {}
    close() { clearInterval(this.timer); }
  };
}
