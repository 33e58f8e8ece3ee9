/** When to connect again and by which way: what every connection that must not end does alike. */

const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 5000;
/** A way that never opened this often in a row is taken as blocked. */
const FAILURES_UNTIL_NEXT_WAY = 2;
/** Close codes of our own are 4000 + the HTTP status that they stand for. */
const REFUSALS = new Set([4400, 4401, 4403, 4404]);

/** The HTTP status for which a socket was closed by a server that would refuse it again; null: it was lost. */
export const refusedStatus = (closeCode: number): number | null => (REFUSALS.has(closeCode) ? closeCode - 4000 : null);

/** The address of a WebSocket on this host. */
export function socketAddress(path: string): URL {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}

/**
 * Opens one of several ways, the preferred first, until it is closed.
 *
 * What is lost is opened again, later each time. A way that never opens gives place to the next; when the last, which
 * only asks, fails too, the server was down, not the way blocked: it begins anew. So it does when the network is back.
 */
export class Reconnection<Way> {
  private number = 0;
  private failures = 0;
  private timer = 0;

  constructor(
    private readonly ways: readonly Way[],
    /** Opens the way that is due. */
    private readonly open: () => void,
    /** The browser says that there is no network. */
    private readonly onOffline: () => void,
  ) {
    window.addEventListener("offline", this.onOffline);
    window.addEventListener("online", this.onOnline);
  }

  get way(): Way {
    return this.ways[this.number]!;
  }

  /** Whether the way is the one of last resort, which asks and is not told. */
  get isLastWay(): boolean {
    return this.number === this.ways.length - 1;
  }

  opened(): void {
    this.failures = 0;
  }

  lost(wasOpen: boolean): void {
    this.failures += 1;
    if (this.isLastWay) this.number = 0;
    else if (!wasOpen && this.failures >= FAILURES_UNTIL_NEXT_WAY) {
      this.number += 1;
      this.failures = 0;
    }
    const delay = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures);
    this.hold();
    this.timer = window.setTimeout(this.open, delay * (0.75 + Math.random() / 2));
  }

  /** Don't open what was going to be opened. */
  hold(): void {
    clearTimeout(this.timer);
  }

  close(): void {
    this.hold();
    window.removeEventListener("offline", this.onOffline);
    window.removeEventListener("online", this.onOnline);
  }

  private readonly onOnline = (): void => {
    this.number = 0;
    this.failures = 0;
    this.open();
  };
}
